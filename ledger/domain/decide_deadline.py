"""Decisions on missed deadlines: the clock reports, the record's own pack and state say whether it is right."""

from __future__ import annotations

from ledger.domain.course_commands import ReportMissedDeadline, WithdrawMissedDeadline
from ledger.domain.course_events import DeadlineMissed, DeadlineMissWithdrawn
from ledger.domain.deadline_guards import deadline_named, report_named
from ledger.domain.decision import Decision, Facts
from ledger.domain.guards import begin, expect, on_record
from ledger.domain.keeping_state import Missed
from ledger.domain.state import RecordState, StreamState


def report_missed_deadline(command: ReportMissedDeadline, state: StreamState | None, facts: Facts) -> Decision:
    """Tags the record; what is late is written all the same."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.refuse_if_any()
    found = deadline_named(command, record, facts)
    assert found is not None  # noqa: S101 - its absence is a fault above
    if Missed(found.rule, found.subject_id, found.due_at) in record.overlays.missed:
        return on_record(command.record_id)
    event = DeadlineMissed(facts.meta(), found.rule, found.subject_id, found.since, found.due_at)
    return on_record(command.record_id, event)


def withdraw_missed_deadline(command: WithdrawMissedDeadline, state: StreamState | None, facts: Facts) -> Decision:
    """Takes a report back that a corrected start has made false."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.refuse_if_any()
    reported = report_named(command, record)
    assert reported is not None  # noqa: S101 - its absence is a fault above
    event = DeadlineMissWithdrawn(facts.meta(), reported.rule, reported.subject_id, reported.due_at)
    return on_record(command.record_id, event)


DECISIONS = {ReportMissedDeadline: report_missed_deadline, WithdrawMissedDeadline: withdraw_missed_deadline}
