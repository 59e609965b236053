"""Decisions on care itself: it begins, it moves, it ends."""

from __future__ import annotations

from ledger.domain.actor_faults import actor_faults
from ledger.domain.commands import EndCare, StartCare, TransferDepartment
from ledger.domain.decision import Decision, Facts
from ledger.domain.events import CareEnded, CareStarted, DepartmentTransferred
from ledger.domain.faults import Faults
from ledger.domain.guards import (
    CODE_MAX,
    begin,
    check_source,
    check_untaken,
    expect,
    on_record,
    source_claim,
    taken_before,
)
from ledger.domain.refusal import RefusalKind
from ledger.domain.source_claim import Taken
from ledger.domain.state import RecordState, StreamState
from ledger.domain.transfer_note_guards import EMERGENCY
from ledger.domain.values import Actor, VisitType


def start_care(command: StartCare, state: StreamState | None, facts: Facts) -> Decision:
    """Care begins with a physician named; in an emergency, wherever the patient lies, the team on duty is enough."""
    record = expect(state, RecordState, "record_id")
    if taken_before(facts, Taken.CARE_START, command.record_id):
        return on_record(command.record_id)
    faults = begin(command, record, facts)
    _check_department(command.department, "department", faults)
    # An earlier system may not say who was in charge, and nobody can be found for it now.
    emergency = record.visit_type is VisitType.EMERGENCY or facts.context.purpose == EMERGENCY
    team_is_enough = emergency or facts.context.historical
    if command.responsible is None and not (command.team.strip() and team_is_enough):
        faults.add("responsible", "REQUIRED", "a physician in charge; in an emergency (ETREAT) a team is enough")
    _check_responsible(command.responsible, facts, faults)
    faults.text(command.bed, "bed", CODE_MAX)
    faults.text(command.team, "team", CODE_MAX)
    check_source(facts, faults)
    check_untaken(facts, Taken.CARE_START, command.record_id, faults)
    faults.refuse_if_any()
    event = CareStarted(facts.meta(), command.department, command.bed, command.responsible, command.team)
    return on_record(command.record_id, event, source=source_claim(facts, Taken.CARE_START))


def transfer_department(command: TransferDepartment, state: StreamState | None, facts: Facts) -> Decision:
    """The patient goes to another department; the transfer-out note, where named, is in the record."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    _check_department(command.to_department, "to_department", faults)
    _check_responsible(command.responsible, facts, faults)
    faults.text(command.bed, "bed", CODE_MAX)
    faults.refuse_if_any()
    event = DepartmentTransferred(
        meta=facts.meta(),
        from_department=record.department,
        to_department=command.to_department,
        bed=command.bed,
        note_entry_id=command.note_entry_id,
        # Whoever reads the event alone learns who is in charge now, changed or not.
        responsible=command.responsible or record.responsible,
    )
    return on_record(command.record_id, event)


def end_care(command: EndCare, state: StreamState | None, facts: Facts) -> Decision:
    """Care ends, at a time that is not before it began."""
    record = expect(state, RecordState, "record_id")
    if taken_before(facts, Taken.CARE_END, command.record_id):
        return on_record(command.record_id)
    faults = begin(command, record, facts)
    meta = facts.meta()
    ended_at = command.ended_at or meta.occurred_at
    if ended_at - facts.now > facts.pack.ahead_max:
        faults.add("ended_at", "TIME_IN_FUTURE", "care cannot have ended yet")
    check_source(facts, faults)
    check_untaken(facts, Taken.CARE_END, command.record_id, faults)
    faults.refuse_if_any()
    event = CareEnded(meta, command.disposition, ended_at)
    return on_record(command.record_id, event, source=source_claim(facts, Taken.CARE_END))


def _check_responsible(responsible: Actor | None, facts: Facts, faults: Faults) -> None:
    if responsible is not None and not facts.context.historical:
        faults.note_all(actor_faults(responsible, "responsible"), RefusalKind.INVALID)


def _check_department(department: str, field: str, faults: Faults) -> None:
    faults.require(department, field)
    faults.text(department, field, CODE_MAX)


DECISIONS = {StartCare: start_care, TransferDepartment: transfer_department, EndCare: end_care}
