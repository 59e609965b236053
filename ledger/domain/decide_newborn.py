"""Decisions on newborns: subjects of the mother's record, never of one that is made up for them."""

from __future__ import annotations

from datetime import datetime

from ledger.domain.decide_holder import outdated_by_stay
from ledger.domain.decision import Claim, Decision, Facts, Reservation, bump_persons
from ledger.domain.faults import Faults
from ledger.domain.guards import TEXT_MAX, begin, check_reason, expect, on_record
from ledger.domain.newborn_commands import (
    CorrectBirth,
    LinkNewborn,
    RegisterNewborn,
    RestoreNewborn,
    WithdrawNewborn,
)
from ledger.domain.newborn_events import (
    BirthCorrected,
    NewbornEnteredLate,
    NewbornLinked,
    NewbornRegistered,
    NewbornRestored,
    NewbornWithdrawn,
)
from ledger.domain.patient_lifecycle import phase_faults
from ledger.domain.refusal import RefusalKind
from ledger.domain.state import RecordState, StreamState

NEWBORNS_MAX = 20
"""Newborns of one birth; more is a mistake of typing."""
NEWBORN = "newborn"
"""Kind of the claims by which the records are found that call a patient a newborn of theirs."""


def register_newborn(command: RegisterNewborn, state: StreamState | None, facts: Facts) -> Decision:
    """A newborn becomes a subject of the mother's record; what only adds waits for no archive, hold or seal."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    # A number was given once: one that was taken back keeps it.
    if command.number != len(record.newborns) + 1 or command.number > NEWBORNS_MAX:
        faults.add("number", "OUT_OF_RANGE", "newborns of a birth are counted one after the other", RefusalKind.STATE)
    faults.text(command.reason, "reason", TEXT_MAX)
    meta, subject_id = facts.meta(), facts.ids[0]
    born_at = command.born_at or meta.occurred_at
    _check_born(born_at, facts, faults)
    faults.refuse_if_any()
    born = NewbornRegistered(meta, subject_id, command.number, born_at)
    late = (NewbornEnteredLate(meta, subject_id, command.reason),) if command.reason else ()
    return on_record(command.record_id, born, *late, subject_id=subject_id)


def correct_birth(command: CorrectBirth, state: StreamState | None, facts: Facts) -> Decision:
    """Another time of birth counts; the first one stays in the history, and who holds it is told."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    _check_born(command.born_at, facts, faults)
    faults.refuse_if_any()
    born = record.newborns[command.subject_id]
    event = BirthCorrected(facts.meta(), command.subject_id, born.born_at, command.born_at, command.reason)
    return on_record(command.record_id, event, *outdated_by_stay(record, born.record_version, facts))


def withdraw_newborn(command: WithdrawNewborn, state: StreamState | None, facts: Facts) -> Decision:
    """Whoever holds what was said of it is told: by now another one is meant, or nobody was born."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    faults.refuse_if_any()
    event = NewbornWithdrawn(facts.meta(), command.subject_id, command.same_as_id, command.reason)
    said_in = record.newborns[command.subject_id].record_version
    return on_record(command.record_id, event, *outdated_by_stay(record, said_in, facts))


def restore_newborn(command: RestoreNewborn, state: StreamState | None, facts: Facts) -> Decision:
    """The two were not the same, or somebody was born: it is a subject of its own again."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    faults.refuse_if_any()
    event = NewbornRestored(facts.meta(), command.subject_id, command.reason)
    said_in = record.newborns[command.subject_id].record_version
    told = outdated_by_stay(record, said_in, facts)
    # Until it stands again nobody becomes its patient by a merge.
    return on_record(command.record_id, event, *told, beside=bump_persons(facts))


def link_newborn(command: LinkNewborn, state: StreamState | None, facts: Facts) -> Decision:
    """It is a patient of this hospital too, or another one than was said, or none."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.text(command.reason, "reason", TEXT_MAX)
    if command.patient_id is not None and facts.patient is None:
        faults.add("patient_id", "UNKNOWN_PATIENT", "no such patient in this hospital", RefusalKind.NOT_FOUND)
    faults.note_all(phase_faults(LinkNewborn, facts.patient), RefusalKind.STATE)
    faults.refuse_if_any()
    event = NewbornLinked(facts.meta(), command.subject_id, command.patient_id, command.reason)
    return on_record(command.record_id, event, beside=(*_link_claim(command, facts), *bump_persons(facts)))


def _link_claim(command: LinkNewborn, facts: Facts) -> tuple[Reservation, ...]:
    """By which a merge of patients finds the records that call one of them a newborn, whether or not they still do."""
    if command.patient_id is None:
        return ()
    patient_id = str(command.patient_id)
    return (Claim(NEWBORN, (patient_id, str(facts.context.command_id)), group=(patient_id,)),)


def _check_born(born_at: datetime, facts: Facts, faults: Faults) -> None:
    if born_at - facts.now > facts.pack.ahead_max:
        faults.add("born_at", "TIME_IN_FUTURE", "nobody is born in the future")


DECISIONS = {
    RegisterNewborn: register_newborn,
    CorrectBirth: correct_birth,
    WithdrawNewborn: withdraw_newborn,
    RestoreNewborn: restore_newborn,
    LinkNewborn: link_newborn,
}
