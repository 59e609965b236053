"""A stay that a source registered under the wrong patient is filed under the right one, and its feed goes on."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from ledger.domain.commands import RegisterRecord, StartCare
from ledger.domain.course_commands import IdentifyPatient
from ledger.domain.decision import Claim, ClaimedItem
from ledger.domain.identity_commands import WithdrawIdentification
from ledger.domain.source_claim import Taken
from ledger.domain.state import PatientState
from ledger.domain.stated_identifiers import Item
from ledger.domain.values import IdentityStatus, VisitType
from tests.unit.domain.given import (
    ARCHIVIST,
    DIGEST,
    PATIENT,
    PHYSICIAN,
    RECORD,
    STEWARD,
    Stream,
    patient,
    registered,
    source,
)
from tests.unit.domain.refusals import hold
from tests.unit.domain.test_recognition import withdraw
from tests.unit.domain.test_stated_details import two_systems

RIGHT = UUID(int=22)
TAKEN_BACK = frozenset({("his", "Patient", "p-1")})
MOVED = IdentifyPatient(RECORD, RIGHT, 0, "registered under a stranger", STEWARD)
BY = {"taken_back": TAKEN_BACK}


def own(case_number: str = "MRN-8") -> PatientState:
    """Who the source means."""
    state = patient()
    assert isinstance(state, PatientState)
    return replace(state, case_number=case_number)


def led() -> Stream:
    """A stay under care that a source's item registered under the patient to whom its other item was led."""
    stream = registered(source=source())
    stream.when(StartCare(RECORD, "cardiology", "12", PHYSICIAN, ""))
    stream.entry()
    return stream


def test_it_goes_to_the_right_patient_by_two_persons() -> None:
    """Under the number that it has, or another one; who holds it is told; nobody was provisional."""
    stream = led()
    decision = stream.when(MOVED, patient=own(), **BY)
    assert stream.last_events == ["IdentificationCorrected", "PatientIdentified", "EndorsementUsed"]
    assert decision.reservations == (Claim("visit", ("MRN-8", "INPATIENT", "1"), group=("MRN-8",)),)
    record = stream.record
    assert (record.patient_id, record.case_number, record.provisional) == (RIGHT, "MRN-8", None)
    assert record.identity is IdentityStatus.MATCHED
    nobody = WithdrawIdentification(RECORD, "not that one", STEWARD)
    assert stream.refused(nobody, patient=own())[1] == [("record_id", "NOT_IDENTIFIED")]


def test_it_goes_back_under_the_number_that_it_had() -> None:
    """A mistake in that is put right as any identification is, without the item, too."""
    stream = led()
    stream.when(replace(MOVED, visit_sequence=4), patient=own(), **BY)
    back = replace(MOVED, patient_id=PATIENT)
    stream.when(back, patient=own("MRN-1"), number_claimed=True)
    assert (stream.record.case_number, stream.record.visit_sequence) == ("MRN-1", 1)
    stream.when(MOVED, patient=own(), number_claimed=True)
    assert stream.record.visit_sequence == 4


@pytest.mark.parametrize(
    "items", [frozenset[Item](), frozenset({("lab", "Patient", "p-1"), None})], ids=["none", "another's"]
)
def test_no_other_stay_is_taken_from_a_patient(items: frozenset[Item]) -> None:
    """Only one that was registered by a system of which an item was taken back from the patient."""
    refused = [("record_id", "IDENTITY_MATCHED")]
    assert led().refused(MOVED, patient=own(), taken_back=items)[1] == refused
    at_the_desk = registered()
    assert at_the_desk.refused(MOVED, patient=own(), **BY)[1] == refused


def test_what_a_correction_demands_is_demanded_here() -> None:
    """A reason, another person in a role for it, another patient, and no hold."""
    stream = led()
    for command, fault in (
        (replace(MOVED, reason=""), ("reason", "REQUIRED")),
        (replace(MOVED, confirmed_by=None), ("confirmed_by", "SAME_PERSON")),
        (replace(MOVED, confirmed_by=ARCHIVIST), ("confirmed_by", "SAME_PERSON")),
        (replace(MOVED, confirmed_by=PHYSICIAN), ("confirmed_by.role", "ROLE_NOT_ALLOWED")),
        (replace(MOVED, patient_id=PATIENT), ("patient_id", "SAME_PATIENT")),
    ):
        assert fault in stream.refused(command, patient=own(), actor=ARCHIVIST, **BY)[1]
    hold(stream)
    assert stream.refused(MOVED, patient=own(), **BY)[1] == [("record_id", "HELD")]


def test_the_feed_goes_on_under_the_right_patient() -> None:
    """The item that registered the stay, sent again under its own patient, is no item of another one's record."""
    stream = led()
    again = RegisterRecord(RIGHT, VisitType.INPATIENT, 1, "cardiology")
    by = {"source": source(), "claimed": ClaimedItem(RECORD, None, DIGEST, Taken.RECORD), "patient": own()}
    assert stream.refused(again, **by)[1] == [("patient_id", "SOURCE_ELSEWHERE")]
    stream.when(MOVED, patient=own(), **BY)
    assert stream.when(again, **by).events == ()


def test_the_answer_names_the_stays_of_the_items_system() -> None:
    """Whoever takes the item back sees which stays may be somebody else's."""
    assert withdraw(two_systems(), led_stays=(RECORD, RIGHT)).result == {"stays": RECORD.bytes + RIGHT.bytes}
    assert withdraw(two_systems()).result == {}
