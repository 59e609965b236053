"""An identifier belongs to one patient at a time, whoever gave it, and a typing error holds it for nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from ledger.domain.commands import AmendPatient, RegisterPatient
from ledger.domain.decision import Bearer, Claim, ClaimedItem, Swap
from ledger.domain.patient_identifiers import IDENTIFIERS_MAX, NOBODY, bearer_of, identifiers_named
from ledger.domain.refusal import RefusalKind
from ledger.domain.source_claim import Taken
from ledger.domain.state import PatientState
from ledger.domain.values import IdentityStatus, PatientDetails, PatientIdentifier
from tests.unit.domain.given import DIGEST, OTHER_DIGEST, PATIENT, Stream, source

OTHER = UUID(int=555)
PASSPORT, INSURANCE = ("urn:passport", "P-1"), ("urn:insurance", "I-2")


def details(*identifiers: tuple[str, str]) -> PatientDetails:
    """A patient's data with these identifiers."""
    return PatientDetails(tuple(PatientIdentifier(*each) for each in identifiers), "N. N.")


def known(*identifiers: tuple[str, str], **by: Any) -> Stream:
    """A patient who has these identifiers."""
    stream = Stream(PATIENT)
    stream.when(RegisterPatient("MRN-1", IdentityStatus.MATCHED, details(*identifiers)), **by)
    return stream


def amend(*identifiers: tuple[str, str]) -> AmendPatient:
    """These identifiers instead."""
    return AmendPatient(PATIENT, details(*identifiers), "shown at the desk")


def test_an_identifier_that_is_added_is_claimed() -> None:
    """In the same step; what the patient had before is not claimed again."""
    decision = known(PASSPORT).when(amend(PASSPORT, INSURANCE), bearers=(None, None))
    assert decision.reservations == (Claim("identifier", INSURANCE),)
    assert known(PASSPORT).when(amend(PASSPORT, INSURANCE), bearers=(None, Bearer(PATIENT))).reservations == ()


def test_an_identifier_of_another_patient_is_refused_by_its_place() -> None:
    """Nothing is written, and neither the identifier nor its bearer is told."""
    refused = known().refused(amend(PASSPORT, INSURANCE), bearers=(None, Bearer(OTHER)))
    assert refused == (RefusalKind.TAKEN, [("details.identifiers[1]", "IDENTIFIER_IN_USE")])


def test_the_halves_of_a_merge_bear_each_others_identifiers() -> None:
    """Neither is refused the other's, nor takes it; what a third person bears stays a third person's."""
    borne = Bearer(OTHER, b"", PATIENT)
    decision = known().when(amend(PASSPORT), bearers=(borne,))
    assert decision.reservations == ()
    assert known(PASSPORT).when(amend(), bearers=(borne,)).reservations == ()
    third = Bearer(OTHER, b"", UUID(int=77))
    assert known().refused(amend(PASSPORT), bearers=(third,))[1] == [("details.identifiers[0]", "IDENTIFIER_IN_USE")]
    assert known().refused(amend(PASSPORT), bearers=(Bearer(OTHER),))[0] is RefusalKind.TAKEN


def test_who_was_merged_away_takes_the_survivors_identifiers_and_a_siblings() -> None:
    """The survivor, and everybody else who was merged into it, is the same person."""
    gone = known()
    assert isinstance(gone.state, PatientState)
    gone.state = replace(gone.state, merged_into=OTHER)
    sibling = Bearer(UUID(int=88), b"", OTHER)
    assert gone.when(amend(PASSPORT, INSURANCE), bearers=(Bearer(OTHER), sibling)).reservations == ()


def test_a_source_is_led_to_the_survivor_of_a_merge() -> None:
    """By an identifier of either half, and by those of both: they name one person."""
    command = RegisterPatient("MRN-1", IdentityStatus.MATCHED, details(PASSPORT, INSURANCE))
    both = (Bearer(OTHER, b"", PATIENT), Bearer(PATIENT))
    decision = known().when(command, source=source(), bearers=both)
    assert decision.result == {"recognised_id": PATIENT}
    apart = (Bearer(OTHER), Bearer(PATIENT))
    faults = known().refused(command, source=source(), bearers=apart)[1]
    assert faults == [("details.identifiers", "IDENTIFIERS_OF_TWO")]


def test_a_registrar_claims_identifiers_too_and_makes_no_second_patient() -> None:
    """Without a source nobody is recognised: what another patient bears is refused by its place."""
    command = RegisterPatient("MRN-2", IdentityStatus.MATCHED, details(PASSPORT, INSURANCE))
    decision = Stream(PATIENT).when(command, bearers=(None, Bearer(None, NOBODY)))
    freed = Swap("identifier", INSURANCE, NOBODY, decision.stream_id.bytes)
    assert decision.reservations == (Claim("case_number", ("MRN-2",)), Claim("identifier", PASSPORT), freed)
    refused = Stream(PATIENT).refused(command, bearers=(None, Bearer(OTHER)))
    assert refused == (RefusalKind.TAKEN, [("details.identifiers[1]", "IDENTIFIER_IN_USE")])


def test_an_identifier_that_is_taken_away_is_free_again() -> None:
    """Its claim says that nobody bears it, and the next who gets it takes the claim over."""
    decision = known(PASSPORT).when(amend(INSURANCE), bearers=(None, Bearer(PATIENT, b"")))
    assert decision.reservations == (Claim("identifier", INSURANCE), Swap("identifier", PASSPORT, b"", NOBODY))
    decision = known().when(amend(PASSPORT), bearers=(Bearer(None, NOBODY),))
    assert decision.reservations == (Swap("identifier", PASSPORT, NOBODY, PATIENT.bytes),)


def test_an_identifier_that_a_source_takes_back_is_free_again() -> None:
    """As at the desk, under another case number too, but for the number by which it knows the patient.

    What another patient bears is not freed (tests/unit/domain/test_stated_identifiers.py: nor what another gave).
    """
    held, borne = ClaimedItem(PATIENT, None, DIGEST, Taken.PATIENT), (None, Bearer(PATIENT, b""))
    command = RegisterPatient("MRN-1", IdentityStatus.MATCHED, details(INSURANCE))
    again: dict[str, Any] = {"source": source(OTHER_DIGEST), "claimed": held, "bearers": borne}
    decision = known(PASSPORT, source=source()).when(command, **again)
    freed = Swap("identifier", PASSPORT, b"", NOBODY)
    assert decision.reservations[1:] == (Claim("identifier", INSURANCE), freed)
    others = {**again, "bearers": (None, Bearer(OTHER))}
    adds = known(PASSPORT, source=source()).when(command, **others)
    assert adds.reservations[1:] == (Claim("identifier", INSURANCE),)
    number = ("urn:his", "H-7")
    elsewhere = replace(command, case_number="H-7")
    assert identifiers_named(elsewhere, known(PASSPORT, number).state) == (INSURANCE, PASSPORT, number)
    bearers = {"bearers": (None, Bearer(PATIENT), Bearer(PATIENT))}
    decision = known(PASSPORT, number, source=source()).when(elsewhere, **again | bearers)
    assert decision.reservations[1:] == (Claim("identifier", INSURANCE), freed)
    assert known(PASSPORT, number).when(elsewhere, **again | bearers).reservations[1:] == (
        Claim("identifier", INSURANCE),
    )


def test_a_source_is_not_led_to_who_no_longer_bears_the_identifier() -> None:
    """What was taken away recognises nobody: a new patient is registered, who takes the claim over."""
    stream = Stream(PATIENT)
    command = RegisterPatient("MRN-2", IdentityStatus.MATCHED, details(PASSPORT))
    decision = stream.when(command, source=source(), bearers=(Bearer(None, NOBODY),))
    assert stream.last_events == ["PatientRegistered"]
    assert Swap("identifier", PASSPORT, NOBODY, decision.stream_id.bytes) in decision.reservations


def test_a_claim_says_who_bears_it() -> None:
    """Who claimed it first, where nothing else is kept; nobody; or who took it over."""
    assert bearer_of(b"", OTHER) == OTHER
    assert bearer_of(NOBODY, OTHER) is None
    assert bearer_of(PATIENT.bytes, OTHER) == PATIENT


def test_identifiers_have_a_limit() -> None:
    """One more is refused, and nothing is asked for each."""
    many = tuple(("urn:x", str(number)) for number in range(IDENTIFIERS_MAX + 1))
    assert known().refused(amend(*many))[1] == [("details.identifiers", "TOO_MANY")]
    allowed = many[:-1]
    assert len(known().when(amend(*allowed), bearers=(None,) * IDENTIFIERS_MAX).reservations) == IDENTIFIERS_MAX
