"""Who bears an identifier: claimed by the patient to whom it is given, free again once it is taken away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from ledger.domain.commands import AmendPatient, Command, RegisterPatient
from ledger.domain.decision import Claim, Facts, Reservation, Swap
from ledger.domain.faults import Faults
from ledger.domain.identity_commands import WithdrawRecognition
from ledger.domain.refusal import RefusalKind
from ledger.domain.state import PatientState, StreamState
from ledger.domain.values import PatientDetails

KIND = "identifier"
IDENTIFIERS_MAX = 100
"""Identifiers of one patient."""
NOBODY = bytes(16)
"""Value of a claim whose identifier was taken away from its bearer: a typing error stands in nobody's way."""


def exact_identifiers(details: PatientDetails) -> tuple[tuple[str, str], ...]:
    """Naming system and value of every identifier that names its system, each once."""
    return tuple(dict.fromkeys((each.system, each.value) for each in details.identifiers if each.system and each.value))


def identifiers_named(command: Command, state: StreamState | None) -> tuple[tuple[str, str], ...]:
    """Those whose claims a command asks for: what it says, then what it takes away from the patient whom it amends."""
    before = exact_identifiers(state.details) if isinstance(state, PatientState) else ()
    if isinstance(command, WithdrawRecognition):
        return before
    if not isinstance(command, RegisterPatient | AmendPatient):
        return ()
    if len(command.details.identifiers) > IDENTIFIERS_MAX:
        return ()  # refused without asking for each
    return tuple(dict.fromkeys((*exact_identifiers(command.details), *before)))


def bearer_of(stored: bytes, first: UUID | None) -> UUID | None:
    """Who bears an identifier by what is kept of its claim; an empty value = who claimed it first."""
    if not stored:
        return first
    return None if stored == NOBODY else UUID(bytes=stored)


def claims_of_new(details: PatientDetails, patient_id: UUID, facts: Facts) -> tuple[Reservation, ...]:
    """Claims on the identifiers that nobody bears."""
    return tuple(_claims(exact_identifiers(details), patient_id, facts))


def claims_of_amended(command: AmendPatient, patient: PatientState, facts: Facts) -> tuple[Reservation, ...]:
    """Claims on what is added, and the end of those on what is taken away."""
    said, before = exact_identifiers(command.details), exact_identifiers(patient.details)
    added = tuple(each for each in _claims(said, command.patient_id, facts) if each.parts not in before)
    return (*added, *claims_freed(command, command.details, command.patient_id, patient, facts))


def claims_freed(
    command: AmendPatient | RegisterPatient | WithdrawRecognition,
    details: PatientDetails,
    patient_id: UUID,
    patient: PatientState,
    facts: Facts,
) -> tuple[Reservation, ...]:
    """The end of the claims on what is not among the details any more, which the command leaves."""
    left, named = exact_identifiers(details), identifiers_named(command, patient)
    return tuple(
        Swap(KIND, identifier, bearer.stored, NOBODY)
        for identifier, bearer in zip(named, facts.bearers, strict=True)
        # What the other half of a merge bears is not taken from it: after an unmerge it is its own again.
        if identifier not in left and bearer is not None and bearer.patient_id == patient_id
    )


def check_free(details: PatientDetails, person_id: UUID | None, facts: Facts, faults: Faults) -> None:
    """Notes each identifier that another person bears (None = any); whose it is, and what it says, is not told."""
    bearers = dict(zip(exact_identifiers(details), facts.bearers, strict=False))
    for index, each in enumerate(details.identifiers):
        bearer = bearers.get((each.system, each.value))
        if bearer is not None and bearer.person_id not in (None, person_id):
            where = f"details.identifiers[{index}]"
            faults.add(where, "IDENTIFIER_IN_USE", "another patient bears it", RefusalKind.TAKEN)


def without_those_of_others(details: PatientDetails, person_id: UUID, facts: Facts) -> PatientDetails:
    """The details without what another person bears by right: a source's slip moves nobody's identifier."""
    bearers = dict(zip(exact_identifiers(details), facts.bearers, strict=False))
    borne = {key for key, each in bearers.items() if each is not None and each.person_id not in (None, person_id)}
    return replace(
        details, identifiers=tuple(each for each in details.identifiers if (each.system, each.value) not in borne)
    )


def others_named(details: PatientDetails, person_id: UUID, facts: Facts) -> tuple[UUID, ...]:
    """Who else bears one of the identifiers, each once."""
    said = (each for _, each in zip(exact_identifiers(details), facts.bearers, strict=False))
    known = (each.person_id for each in said if each is not None and each.person_id is not None)
    return tuple(dict.fromkeys(each for each in known if each != person_id))


def _claims(identifiers: tuple[tuple[str, str], ...], patient_id: UUID, facts: Facts) -> Iterator[Claim | Swap]:
    for identifier, bearer in zip(identifiers, facts.bearers, strict=False):
        if bearer is None:
            yield Claim(KIND, identifier)
        elif bearer.patient_id is None:
            yield Swap(KIND, identifier, bearer.stored, patient_id.bytes)
