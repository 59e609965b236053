"""No mother is her child, and no two newborns are one patient: by a link, a restored newborn, a name or a merge."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from ledger.domain.allowed_actions import allowed_actions
from ledger.domain.course_commands import DeclareEnteredInError, IdentifyPatient
from ledger.domain.decision import Bump, Claim
from ledger.domain.identity_commands import MergePatients, WithdrawIdentification
from ledger.domain.newborn_commands import LinkNewborn, RegisterNewborn, RestoreNewborn, WithdrawNewborn
from ledger.domain.values import IdentityStatus
from tests.unit.domain.given import (
    PATIENT,
    RECORD,
    STEWARD,
    SUPERIOR,
    Stream,
    active,
    facts,
    patient,
)

CHILD, OTHER, SURVIVOR = (UUID(int=number) for number in (72, 73, 74))
OTHERS_PATIENT = [("patient_id", "NOT_ITS_OWN")]


def born_in(stream: Stream) -> UUID:
    """One newborn more."""
    born = stream.when(RegisterNewborn(RECORD, len(stream.record.newborns) + 1, None)).result["subject_id"]
    assert isinstance(born, UUID)
    return born


def link(stream: Stream, born: UUID, to: UUID | None, reason: str = "", **known: Any) -> list[Any]:
    """Says whom a newborn is; what it claims."""
    command = LinkNewborn(RECORD, born, to, reason)
    return list(stream.when(command, **({} if to is None else {"patient": patient()}), **known).reservations)


def twins(stream: Stream | None = None) -> tuple[Stream, UUID, UUID]:
    """Two newborns, the first one with a patient of its own."""
    stream = stream or active()
    one, other = born_in(stream), born_in(stream)
    link(stream, one, CHILD)
    return stream, one, other


def taken_back() -> tuple[Stream, UUID, UUID]:
    """A newborn that was registered twice, and linked twice to the same patient."""
    stream, wrong, right = twins()
    stream.when(WithdrawNewborn(RECORD, wrong, right, "registered twice"))
    link(stream, right, CHILD)
    return stream, right, wrong


@pytest.mark.parametrize("survivors", [{PATIENT: SURVIVOR}, {CHILD: SURVIVOR}], ids=["mother", "sibling"])
def test_a_newborn_is_not_linked_to_who_the_mother_or_another_one_was_merged_into(survivors: dict[UUID, UUID]) -> None:
    """The halves of a merge are one person; of two who were merged with nobody here it is taken."""
    stream, _, other = twins()
    command = LinkNewborn(RECORD, other, SURVIVOR)
    assert stream.refused(command, patient=patient(), survivors=survivors)[1] == OTHERS_PATIENT
    stream.when(command, patient=patient(), survivors={OTHER: CHILD})
    assert stream.record.newborns[other].patient_id == SURVIVOR


def test_a_link_is_found_by_who_merges_its_patient_and_none_passes_it() -> None:
    """It is claimed for the patient as often as it is made, and bumps the person; taken back it claims nothing."""
    stream = active()
    born, command_id = born_in(stream), UUID(int=99)
    claimed = Claim("newborn", (str(CHILD), str(command_id)), group=(str(CHILD),))
    made = link(stream, born, CHILD, command_id=command_id, persons={CHILD: 4})
    assert made == [claimed, Bump("patient", (str(CHILD),), 4)]
    assert link(stream, born, None, "sent home with her") == []


def test_a_newborn_stands_again_only_as_somebody_else_than_the_others() -> None:
    """Once its link is taken back it does; nor does one stand again who is its mother by a merge since."""
    stream, _, wrong = taken_back()
    restore = RestoreNewborn(RECORD, wrong, "two were born")
    assert stream.refused(restore)[1] == [("subject_id", "NOT_ITS_OWN")]
    link(stream, wrong, None, "another one's number")
    decision = stream.when(restore, persons={CHILD: 2})
    assert decision.reservations == (Bump("patient", (str(CHILD),), 2),)
    merged, one, other = twins()
    merged.when(WithdrawNewborn(RECORD, one, other, "registered twice"))
    known: dict[str, Any] = {"survivors": {PATIENT: SURVIVOR, CHILD: SURVIVOR}}
    assert merged.refused(replace(restore, subject_id=one), **known)[1] == [("subject_id", "NOT_ITS_OWN")]


def test_a_link_of_one_who_was_taken_back_is_taken_back_and_nothing_else() -> None:
    """It says no longer who that is; another patient is refused, and nothing twice."""
    stream, _, wrong = taken_back()
    assert stream.refused(LinkNewborn(RECORD, wrong, OTHER, "hers"), patient=patient())[1] == [
        ("patient_id", "SUBJECT_WITHDRAWN")
    ]
    link(stream, wrong, None, "was never born")
    assert stream.record.newborns[wrong].patient_id is None
    assert stream.refused(LinkNewborn(RECORD, wrong, None, "again"))[1] == [("patient_id", "SAME_PATIENT")]


def test_a_link_in_a_record_in_error_is_taken_back_and_nothing_else() -> None:
    """The front end offers it while there is one."""
    stream, one, other = twins()
    stream.when(DeclareEnteredInError(RECORD, "the wrong woman", SUPERIOR, None))
    assert stream.refused(LinkNewborn(RECORD, other, OTHER), patient=patient())[1] == [("patient_id", "IN_ERROR")]

    def offered() -> bool:
        return not {each.name: each.reasons for each in allowed_actions(stream.record, facts())}["LinkNewborn"]

    assert offered()
    link(stream, one, None, "the wrong woman")
    assert not offered()


def test_nobody_is_identified_as_a_newborn_of_the_own_record() -> None:
    """Nor as who that one was merged with; once the link is taken back it may have been the wrong one."""
    stream, one, _ = twins(active(identity=IdentityStatus.UNVERIFIED))
    for named, survivors in ((CHILD, {}), (SURVIVOR, {CHILD: SURVIVOR})):
        identify = IdentifyPatient(RECORD, named)
        assert stream.refused(identify, patient=patient(), survivors=survivors)[1] == OTHERS_PATIENT
    link(stream, one, None, "hers, not the child's")
    stream.when(IdentifyPatient(RECORD, CHILD), patient=patient())


def test_no_identification_is_taken_back_to_who_is_a_newborn_by_now() -> None:
    """The provisional person was given to the child meanwhile: that goes first."""
    stream = active(identity=IdentityStatus.UNVERIFIED)
    born = born_in(stream)
    stream.when(IdentifyPatient(RECORD, OTHER), patient=patient())
    link(stream, born, PATIENT)
    back = WithdrawIdentification(RECORD, "her sister's papers", STEWARD)
    provisional = patient(IdentityStatus.UNVERIFIED)
    assert stream.refused(back, patient=provisional)[1] == [("record_id", "NOT_ITS_OWN")]
    link(stream, born, None, "another one's number")
    stream.when(back, patient=provisional)
    assert stream.record.patient_id == PATIENT


@pytest.mark.parametrize(
    ("families", "refused"),
    [
        ([{PATIENT, CHILD}], True),
        ([{PATIENT, CHILD, OTHER}], True),
        ([{PATIENT, OTHER}, {SURVIVOR, CHILD}], False),
        ([{CHILD}], False),
        ([], False),
    ],
)
@pytest.mark.parametrize("pair", [(PATIENT, CHILD), (CHILD, PATIENT)])
def test_who_is_in_one_family_is_not_merged(
    families: list[set[UUID]], pair: tuple[UUID, UUID], *, refused: bool
) -> None:
    """Either way round; two who are in families of their own may be one."""
    stream = Stream(pair[0], patient())
    known: dict[str, Any] = {"other_patient": patient(), "families": tuple(map(frozenset, families))}
    command = MergePatients(*pair, "same name")
    if refused:
        assert stream.refused(command, **known)[1] == [("survivor_id", "NOT_ITS_OWN")]
    else:
        assert [type(each).__name__ for each in stream.when(command, **known).events] == ["PatientMerged"]
