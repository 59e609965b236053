"""Decisions on missed deadlines: the clock reports, the record's own pack and state say whether it is right."""

from __future__ import annotations

from ledger.domain.course_commands import ReportMissedDeadline, WithdrawMissedDeadline
from ledger.domain.course_events import DeadlineMissed, DeadlineMissWithdrawn
from ledger.domain.deadlines import Deadline, deadlines
from ledger.domain.decision import Decision, Facts
from ledger.domain.guards import begin, expect, on_record
from ledger.domain.keeping_state import Missed
from ledger.domain.refusal import RefusalKind
from ledger.domain.state import RecordState, StreamState


def report_missed_deadline(command: ReportMissedDeadline, state: StreamState | None, facts: Facts) -> Decision:
    """Tags the record; what is late is written all the same."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    found = _named(command, record, facts)
    if found is None:
        faults.add("rule", "NO_SUCH_DEADLINE", "the record's pack sets no such deadline", RefusalKind.NOT_FOUND)
    elif not found.missed(facts.now):
        faults.add("rule", "NOT_MISSED", "the deadline is not over, or was kept", RefusalKind.STATE)
    faults.refuse_if_any()
    assert found is not None  # noqa: S101 - its absence is a fault above
    if Missed(found.rule, found.subject_id, found.due_at) in record.overlays.missed:
        return on_record(command.record_id)
    event = DeadlineMissed(facts.meta(), found.rule, found.subject_id, found.since, found.due_at)
    return on_record(command.record_id, event)


def withdraw_missed_deadline(command: WithdrawMissedDeadline, state: StreamState | None, facts: Facts) -> Decision:
    """Takes a report back that a corrected start has made false."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    reported = next(
        (each for each in record.overlays.missed if _is(each, command)),
        None,
    )
    found = _named(command, record, facts)
    if reported is None:
        faults.add("rule", "NOT_REPORTED", "no such deadline was reported as missed", RefusalKind.NOT_FOUND)
    elif found is not None and found.missed(facts.now):
        faults.add("rule", "STILL_MISSED", "the deadline was missed", RefusalKind.STATE)
    faults.refuse_if_any()
    assert reported is not None  # noqa: S101 - its absence is a fault above
    event = DeadlineMissWithdrawn(facts.meta(), reported.rule, reported.subject_id, reported.due_at)
    return on_record(command.record_id, event)


def _named(
    command: ReportMissedDeadline | WithdrawMissedDeadline, record: RecordState, facts: Facts
) -> Deadline | None:
    return next((each for each in deadlines(record, facts.pack, facts.now) if _is(each, command)), None)


def _is(each: Deadline | Missed, command: ReportMissedDeadline | WithdrawMissedDeadline) -> bool:
    """By its due time too: a rule that repeats has many."""
    return (each.rule, each.subject_id, each.due_at) == (command.rule, command.subject_id, command.due_at)


DECISIONS = {ReportMissedDeadline: report_missed_deadline, WithdrawMissedDeadline: withdraw_missed_deadline}
