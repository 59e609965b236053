"""Decisions that put right what was said at the start: when something happened, and who is in charge."""

from __future__ import annotations

from ledger.domain.actor_faults import actor_faults
from ledger.domain.course_commands import AssignPhysician, CorrectTime
from ledger.domain.course_events import PhysicianAssigned, TimeCorrected
from ledger.domain.decision import Decision, Facts
from ledger.domain.guards import TEXT_MAX, begin, check_reason, expect, on_record
from ledger.domain.refusal import RefusalKind
from ledger.domain.state import RecordState, StreamState
from ledger.domain.time_guards import time_of
from ledger.domain.values import TimeOf


def correct_time(command: CorrectTime, state: StreamState | None, facts: Facts) -> Decision:
    """Another time counts; whatever is counted from it is computed anew, and a report that was false is taken back."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    if (command.entry_id is not None) != (command.of is TimeOf.ENTRY):
        faults.add("entry_id", "REQUIRED", "the entry, where the time is of one, and none otherwise")
    if bool(command.move) != (command.of is TimeOf.MOVE):
        faults.add("move", "REQUIRED", "the number of the move, where the time is of one, and none otherwise")
    if command.corrected_at - facts.now > facts.pack.ahead_max:
        faults.add("corrected_at", "TIME_IN_FUTURE", "it cannot have happened yet")
    faults.refuse_if_any()
    before = time_of(command, record)
    assert before is not None  # noqa: S101 - its absence is a fault above
    event = TimeCorrected(
        facts.meta(), command.of, command.entry_id, command.move, before, command.corrected_at, command.reason
    )
    return on_record(command.record_id, event)


def assign_physician(command: AssignPhysician, state: StreamState | None, facts: Facts) -> Decision:
    """Somebody else is in charge, or somebody at all where a team took over."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.text(command.reason, "reason", TEXT_MAX)
    if command.responsible is None:
        faults.add("responsible", "REQUIRED", "a physician in charge")
    else:
        faults.note_all(actor_faults(command.responsible, "responsible"), RefusalKind.INVALID)
    faults.refuse_if_any()
    assert command.responsible is not None  # noqa: S101 - its absence is a fault above
    return on_record(command.record_id, PhysicianAssigned(facts.meta(), command.responsible, command.reason))


DECISIONS = {CorrectTime: correct_time, AssignPhysician: assign_physician}
