"""Decisions that put right what was said at the start: when something happened, and who is in charge."""

from __future__ import annotations

from ledger.domain.actor_faults import actor_faults
from ledger.domain.course_commands import AssignPhysician, CorrectTime
from ledger.domain.course_events import PhysicianAssigned, TimeCorrected
from ledger.domain.decide_holder import outdated_by_change, outdated_by_stay
from ledger.domain.decision import Decision, Facts, bump_persons
from ledger.domain.events import Event
from ledger.domain.faults import Faults
from ledger.domain.guards import TEXT_MAX, begin, check_reason, expect, on_record
from ledger.domain.refusal import RefusalKind
from ledger.domain.state import RecordState, StreamState
from ledger.domain.time_guards import time_of
from ledger.domain.values import TimeOf

_OF_CONSULTATION = {TimeOf.CONSULTATION_REQUEST, TimeOf.CONSULTATION_ARRIVAL}


def correct_time(command: CorrectTime, state: StreamState | None, facts: Facts) -> Decision:
    """Another time counts; whatever is counted from it is computed anew, and a report that was false is taken back."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    _check_named(command, faults)
    if command.corrected_at - facts.now > facts.pack.ahead_max:
        faults.add("corrected_at", "TIME_IN_FUTURE", "it cannot have happened yet")
    faults.refuse_if_any()
    before = time_of(command, record)
    assert before is not None  # noqa: S101 - its absence is a fault above
    event = TimeCorrected(
        meta=facts.meta(),
        of=command.of,
        entry_id=command.entry_id,
        move=command.move,
        before=before,
        corrected_at=command.corrected_at,
        reason=command.reason,
        consultation_id=command.consultation_id,
    )
    # Another end of care moves the terms of the person's other records: none of them is destroyed meanwhile.
    bumps = bump_persons(facts) if command.of is TimeOf.CARE_END else ()
    return Decision(command.record_id, "record", (event, *_told(command, record, facts)), bumps)


def _told(command: CorrectTime, record: RecordState, facts: Facts) -> tuple[Event, ...]:
    """What those are told who hold the time as it was said first."""
    if command.entry_id is not None:
        return outdated_by_change(record, command.entry_id, facts)
    said_in = 0
    if command.of is TimeOf.CARE_END:
        said_in = record.ended_version
    elif command.of is TimeOf.MOVE:
        said_in = record.moves[command.move - 1].record_version
    elif command.consultation_id is not None:
        said_in = record.consultations[command.consultation_id].record_version
    return outdated_by_stay(record, said_in, facts)


def _check_named(command: CorrectTime, faults: Faults) -> None:
    """Notes what the kind of time does not name, or names beside it."""
    for name, named, kinds in (
        ("entry_id", command.entry_id is not None, {TimeOf.ENTRY}),
        ("move", command.move > 0, {TimeOf.MOVE}),
        ("consultation_id", command.consultation_id is not None, _OF_CONSULTATION),
    ):
        if named != (command.of in kinds):
            faults.add(name, "REQUIRED", f"for {', '.join(sorted(kinds))}, and for nothing else")


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
