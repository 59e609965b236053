"""Who a patient is: links and merges stand in both streams, and each can be taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from ledger.domain.commands import Command
from ledger.domain.course_commands import IdentifyPatient
from ledger.domain.decide import decide
from ledger.domain.decision import Bump, Claim
from ledger.domain.defaults import default_pack
from ledger.domain.evolve import evolve
from ledger.domain.identity_commands import LinkPatients, MergePatients, UnlinkPatients, UnmergePatients
from ledger.domain.state import PatientState
from ledger.domain.values import IdentityStatus, VisitType
from tests.unit.domain.given import (
    ARCHIVIST,
    CLOCK,
    NOW,
    PATIENTS_SIDE,
    PHYSICIAN,
    RECORD,
    STEWARD,
    TRAINEE,
    Stream,
    active,
    as_signer,
    facts,
    patient,
)

ONE, TWO = UUID(int=1), UUID(int=2)


class Pair:
    """Two patients in the hand of a test."""

    def __init__(self) -> None:
        self.states: dict[UUID, PatientState] = {}
        for each in (ONE, TWO):
            known = patient()
            assert isinstance(known, PatientState)
            self.states[each] = known

    def when(self, command: Command, own: UUID, other: UUID) -> list[str]:
        """Does a command; the names of the events of both streams."""
        decision = decide(command, self.states[own], facts(other_patient=self.states[other], **as_signer(command)))
        done = [(decision.stream_id, decision.events), *((each.stream_id, each.events) for each in decision.beside)]
        for stream_id, events in done:
            for event in events:
                after = evolve(self.states[stream_id], event, self.states[stream_id].version + 1, NOW)
                assert isinstance(after, PatientState)
                self.states[stream_id] = after
        return [type(event).__name__ for _, events in done for event in events]

    def refused(self, command: Command, own: UUID, **changes: Any) -> list[tuple[str, str]]:
        """Field and rule of every fault."""
        return Stream(own, self.states[own]).refused(command, **changes)[1]


def test_a_link_stands_in_both_streams_and_can_be_taken_back() -> None:
    """It says that they may be one person, and changes nothing else."""
    pair = Pair()
    assert pair.when(LinkPatients(ONE, TWO, "same name"), ONE, TWO) == ["PatientLinked", "PatientLinked"]
    assert pair.states[ONE].linked == {TWO}
    assert pair.states[TWO].linked == {ONE}
    assert pair.when(LinkPatients(ONE, TWO, "again"), ONE, TWO) == []
    assert pair.when(UnlinkPatients(TWO, ONE, "another person"), TWO, ONE) == ["PatientUnlinked", "PatientUnlinked"]
    assert not pair.states[ONE].linked | pair.states[TWO].linked
    faults = pair.refused(UnlinkPatients(ONE, TWO, "again"), ONE, other_patient=pair.states[TWO])
    assert faults == [("other_id", "NOT_LINKED")]


def test_a_merge_names_the_survivor_and_can_be_taken_back() -> None:
    """The one refers to the other, and both are themselves again afterwards."""
    pair = Pair()
    assert pair.when(MergePatients(ONE, TWO, "one person"), ONE, TWO) == ["PatientMerged", "PatientMerged"]
    assert (pair.states[ONE].merged_into, pair.states[TWO].absorbed) == (TWO, {ONE})
    again = pair.refused(MergePatients(ONE, TWO, "again"), ONE, other_patient=pair.states[TWO])
    assert again == [("patient_id", "ALREADY_MERGED")]
    chain = pair.refused(MergePatients(TWO, ONE, "a circle"), TWO, other_patient=pair.states[ONE])
    assert set(chain) == {("survivor_id", "ALREADY_MERGED"), ("patient_id", "HAS_ABSORBED")}
    assert pair.when(UnmergePatients(ONE, TWO, "two after all"), ONE, TWO) == ["PatientUnmerged", "PatientUnmerged"]
    assert (pair.states[ONE].merged_into, pair.states[TWO].absorbed) == (None, frozenset())


def test_a_patient_is_not_merged_with_itself_nor_with_nobody() -> None:
    """Every fault is named, the missing reason too."""
    pair = Pair()
    assert pair.refused(MergePatients(ONE, ONE, ""), ONE) == [("reason", "REQUIRED"), ("survivor_id", "SAME_PATIENT")]
    assert pair.refused(LinkPatients(ONE, TWO, "who"), ONE) == [("other_id", "UNKNOWN_PATIENT")]


@pytest.mark.parametrize("command", [LinkPatients, UnlinkPatients, MergePatients, UnmergePatients])
def test_nobody_but_who_keeps_the_index_says_who_is_who(command: type[Any]) -> None:
    """A program never links or merges, whatever a pack says, and a physician does not where the pack names others."""
    pair, pack = Pair(), default_pack()
    known = {"other_patient": pair.states[TWO]}
    state_faults = {UnlinkPatients: [("other_id", "NOT_LINKED")], UnmergePatients: [("survivor_id", "NOT_MERGED")]}
    other = state_faults.get(command, [])
    assert pair.refused(command(ONE, TWO, "same name"), ONE, actor=PHYSICIAN, **known) == [
        ("context.actor.role", "ROLE_NOT_ALLOWED"),
        *other,
    ]
    for program in ("system", "interface"):
        named = replace(pack.roles["merge_patients"], roles=frozenset({program}))
        roles = {"actor": replace(CLOCK, role=program), "pack": replace(pack, roles={"merge_patients": named})}
        refused = pair.refused(command(ONE, TWO, "same name"), ONE, **known, **roles)
        assert refused == [("context.actor", "NOT_A_PERSON"), *other]


def _taken_for_one() -> Stream:
    """The record of a provisional person who was taken for somebody else."""
    stream = active(identity=IdentityStatus.UNVERIFIED)
    stream.when(IdentifyPatient(RECORD, ONE), patient=_known_as("MRN-7"))
    return stream


def _known_as(case_number: str) -> PatientState:
    known = patient()
    assert isinstance(known, PatientState)
    return replace(known, case_number=case_number)


def test_a_wrong_identification_is_corrected_by_two_persons_who_say_why() -> None:
    """The record goes under the right patient, its stay is claimed there, and the history keeps both."""
    stream = _taken_for_one()
    right = IdentifyPatient(RECORD, TWO, 3, "a namesake", STEWARD)
    decision = stream.when(right, patient=_known_as("MRN-8"), persons={ONE: 1, TWO: 2})
    assert stream.last_events == ["IdentificationCorrected", "PatientIdentified", "VisitRenumbered", "EndorsementUsed"]
    claim = Claim("visit", ("MRN-8", VisitType.INPATIENT, "3"), group=("MRN-8",))
    assert decision.reservations == (claim, Bump("patient", (str(ONE),), 1), Bump("patient", (str(TWO),), 2))
    assert (stream.record.patient_id, stream.record.case_number) == (TWO, "MRN-8")
    stream.when(replace(right, patient_id=ONE, visit_sequence=0), patient=_known_as("MRN-7"))
    assert stream.record.patient_id == ONE


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        ({"reason": ""}, [("reason", "REQUIRED")]),
        ({"confirmed_by": None}, [("confirmed_by", "SAME_PERSON")]),
        ({"confirmed_by": ARCHIVIST}, [("confirmed_by", "SAME_PERSON")]),
        ({"confirmed_by": CLOCK}, [("confirmed_by", "SAME_PERSON"), ("confirmed_by.role", "ROLE_NOT_ALLOWED")]),
        ({"confirmed_by": PATIENTS_SIDE}, [("confirmed_by.role", "ROLE_NOT_ALLOWED")]),
        ({"confirmed_by": TRAINEE}, [("confirmed_by.role", "ROLE_NOT_ALLOWED")]),
        ({"confirmed_by": replace(STEWARD, name="")}, [("confirmed_by.name", "REQUIRED")]),
        ({"patient_id": ONE}, [("patient_id", "SAME_PATIENT")]),
    ],
)
def test_a_correction_of_an_identification_lacks_nothing(change: dict[str, Any], faults: list[Any]) -> None:
    """A reason, a second person with a name and a role for it, and somebody else than before."""
    right = IdentifyPatient(RECORD, TWO, 0, "a namesake", STEWARD)
    assert _taken_for_one().refused(replace(right, **change), patient=_known_as("MRN-8"))[1] == faults


def test_a_trainee_is_no_second_person_whatever_a_pack_names() -> None:
    """A hospital that names no role at all still asks for two who answer for it."""
    pack = replace(default_pack(), roles={})
    right = IdentifyPatient(RECORD, TWO, 0, "a namesake", TRAINEE)
    faults = _taken_for_one().refused(right, patient=_known_as("MRN-8"), pack=pack)[1]
    assert faults == [("confirmed_by.role", "ROLE_NOT_ALLOWED")]
    _taken_for_one().when(replace(right, confirmed_by=PHYSICIAN), patient=_known_as("MRN-8"), pack=pack)


def test_who_was_registered_by_name_is_not_identified_anew() -> None:
    """Such a record is entered in error instead; and what corrects nothing says so."""
    right = IdentifyPatient(RECORD, TWO, 0, "a namesake", STEWARD)
    faults = active().refused(right, patient=_known_as("MRN-8"))[1]
    assert ("record_id", "IDENTITY_MATCHED") in faults
    first = active(identity=IdentityStatus.UNVERIFIED).refused(right, patient=_known_as("MRN-8"))[1]
    assert first == [("reason", "NOT_IDENTIFIED")]
