"""Decisions on patients."""

from __future__ import annotations

from ledger.domain.commands import AmendPatient, RegisterPatient
from ledger.domain.decision import Claim, Decision, Facts, Reservation
from ledger.domain.events import PatientAmended, PatientRegistered
from ledger.domain.faults import Faults, refuse
from ledger.domain.guards import (
    CODE_MAX,
    TEXT_MAX,
    check_source,
    check_time,
    expect,
    note_elsewhere,
    source_claim,
    taken_before,
)
from ledger.domain.refusal import RefusalKind
from ledger.domain.source_claim import Taken
from ledger.domain.state import PatientState, StreamState
from ledger.domain.values import PatientDetails

GENDERS = frozenset({"", "male", "female", "other", "unknown"})
SOURCE_CHANGED = "the source says something else now"


def register_patient(command: RegisterPatient, state: StreamState | None, facts: Facts) -> Decision:
    """A patient becomes known; a source that comes again with other content amends."""
    faults = Faults()
    faults.require(command.case_number, "case_number")
    faults.text(command.case_number, "case_number", CODE_MAX)
    _check_details(command.details, faults)
    check_time(facts, faults)
    check_source(facts, faults)
    if facts.claimed is not None and facts.claimed.taken is not Taken.PATIENT:
        note_elsewhere(faults)
    faults.refuse_if_any()
    if facts.claimed is not None:
        stream_id = facts.claimed.stream_id
        known = expect(state, PatientState, "context.source")
        if known.case_number != command.case_number:
            raise refuse(RefusalKind.TAKEN, "case_number", "CASE_NUMBER_CHANGED", "a patient keeps the case number")
        if taken_before(facts, Taken.PATIENT):
            return Decision(stream_id, "patient", ())
        event = PatientAmended(facts.meta(), command.details, SOURCE_CHANGED)
        return Decision(stream_id, "patient", (event,), _present(source_claim(facts, Taken.PATIENT)))
    event = PatientRegistered(facts.meta(), command.case_number, command.identity, command.details)
    claims = (Claim("case_number", (command.case_number,)), *_present(source_claim(facts, Taken.PATIENT)))
    return Decision(facts.ids[0], "patient", (event,), claims)


def amend_patient(command: AmendPatient, state: StreamState | None, facts: Facts) -> Decision:
    """Other data are in force."""
    patient = expect(state, PatientState, "patient_id")
    faults = Faults()
    faults.require(command.reason, "reason")
    faults.text(command.reason, "reason", TEXT_MAX)
    _check_details(command.details, faults)
    check_time(facts, faults)
    faults.refuse_if_any()
    if command.details == patient.details:
        return Decision(command.patient_id, "patient", ())
    event = PatientAmended(facts.meta(), command.details, command.reason)
    return Decision(command.patient_id, "patient", (event,))


def _check_details(details: PatientDetails, faults: Faults) -> None:
    if details.gender not in GENDERS:
        faults.add("details.gender", "UNKNOWN_VALUE", "male, female, other or unknown")
    faults.text(details.name, "details.name", TEXT_MAX)
    for index, identifier in enumerate(details.identifiers):
        faults.require(identifier.value, f"details.identifiers[{index}].value")


def _present(reservation: Reservation | None) -> tuple[Reservation, ...]:
    return () if reservation is None else (reservation,)


DECISIONS = {RegisterPatient: register_patient, AmendPatient: amend_patient}
