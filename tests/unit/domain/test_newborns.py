"""Newborns of a record: entered at any time, put right with reason, and never lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from ledger.domain import course_commands as course
from ledger.domain import keeping_commands as keeping
from ledger.domain.allowed_actions import allowed_actions
from ledger.domain.commands import AmendEntry, RecordEntry, RetractEntry
from ledger.domain.keeping_events import CopyIssued
from ledger.domain.keeping_values import DisposalOpinion, SealMode
from ledger.domain.newborn_commands import (
    CorrectBirth,
    LinkNewborn,
    RegisterNewborn,
    RestoreNewborn,
    WithdrawNewborn,
)
from ledger.domain.refusal import RefusalKind
from ledger.domain.subjects import subject_of
from ledger.domain.transfer_commands import OfferTransfer
from ledger.domain.values import AmendmentKind, TransferKind
from tests.unit.domain.given import (
    ARCHIVIST,
    NOW,
    PACKAGE,
    PHYSICIAN,
    QUALITY,
    RECORD,
    RESULT,
    TERM,
    Stream,
    active,
    archived,
    closed,
    due,
    facts,
    note,
    patient,
    permanent,
    reopened,
    signed,
    submitted,
)
from tests.unit.domain.refusals import hold, seal

LATE = "the midwife told us today"
SEALED = "ENTRY_SEALED"


def born_in(stream: Stream, number: int, reason: str = "") -> UUID:
    """A newborn of the record."""
    born = stream.when(RegisterNewborn(RECORD, number, None, reason)).result["subject_id"]
    assert isinstance(born, UUID)
    return born


def twice() -> tuple[Stream, UUID, UUID]:
    """A newborn that was registered twice, with an entry under each id, and one of the mother's."""
    stream = active()
    stream.entry()
    right, wrong = born_in(stream, 1), born_in(stream, 2)
    for each in (right, wrong):
        stream.entry(replace(note("Cries."), subject_id=each))
    return stream, right, wrong


def _free(_: Stream) -> None:
    """Nothing lies over it."""


@pytest.mark.parametrize("make", [submitted, archived, due, permanent, reopened])
@pytest.mark.parametrize("lay", [_free, hold, seal], ids=["free", "held", "sealed"])
def test_a_newborn_is_entered_late_wherever_the_record_is(
    make: Callable[[], Stream], lay: Callable[[Stream], object]
) -> None:
    """Handed in, archived, due, for ever, held or sealed: with a reason, tagged, and a result about it follows."""
    stream = make()
    lay(stream)
    phase = stream.record.phase
    born = born_in(stream, 1, LATE)
    assert stream.last_events == ["NewbornRegistered", "NewbornEnteredLate"]
    assert (stream.record.phase, stream.record.newborns[born].late_reason) == (phase, LATE)
    stream.when(course.FileLateItem(RECORD, replace(RESULT, subject_id=born), signed(), LATE, None))
    assert stream.last_events == ["LateItemFiled"]


def test_who_enters_a_newborn_late_says_why_and_has_a_role() -> None:
    """Under care nobody needs either; afterwards both are named in one answer, and the front end knows before."""
    assert active().refused(RegisterNewborn(RECORD, 2, None), actor=QUALITY)[1] == [("number", "OUT_OF_RANGE")]
    kind, faults = archived().refused(RegisterNewborn(RECORD, 1, None), actor=QUALITY)
    assert (kind, faults) == (
        RefusalKind.INVALID,
        [("reason", "REASON_REQUIRED"), ("context.actor.role", "ROLE_NOT_ALLOWED")],
    )
    offered = {each.name: each.reasons for each in allowed_actions(archived().record, facts(), QUALITY)}
    assert [each.rule for each in offered["RegisterNewborn"]] == ["ROLE_NOT_ALLOWED"]


def test_a_newborn_that_came_after_the_appraisal_stops_the_destruction() -> None:
    """Who appraised it had not seen whose record it is, too."""
    stream = due()
    appraise = keeping.AppraiseDisposal(RECORD, DisposalOpinion.DESTROY, "term over", "")
    stream.when(appraise, now=NOW + TERM)
    born_in(stream, 1, LATE)
    stream.when(appraise, now=NOW + TERM)
    assert stream.last_events == ["DisposalAppraised"]


def test_a_time_of_birth_is_corrected_and_the_first_one_is_kept() -> None:
    """With who and why; the same again is refused, and so is the future."""
    stream = active()
    born = born_in(stream, 1)
    earlier = NOW - timedelta(hours=3)
    correct = CorrectBirth(RECORD, born, earlier, "read off the wrong clock")
    stream.when(correct)
    newborn = stream.record.newborns[born]
    (made,) = newborn.corrections
    assert (newborn.born_at, made.before, made.corrected_by) == (earlier, NOW, ARCHIVIST)
    assert stream.refused(correct)[1] == [("born_at", "SAME_TIME")]
    assert stream.refused(replace(correct, born_at=NOW + timedelta(hours=1)))[1] == [("born_at", "TIME_IN_FUTURE")]
    stream.when(replace(correct, born_at=NOW))
    assert [each.before for each in stream.record.newborns[born].corrections] == [NOW, earlier]


def test_whoever_holds_a_time_of_birth_is_told_of_another() -> None:
    """A copy and a package of after the birth; what was given away before it says nothing of it."""
    stream = active()
    stream.entry()
    stream.when(keeping.IssueCopy(RECORD, "Ms. N.", "self", (), "true copy"))
    born = born_in(stream, 1)
    correct = CorrectBirth(RECORD, born, NOW - timedelta(hours=3), "wrong clock")
    stream.when(correct)
    assert stream.last_events == ["BirthCorrected"]
    stream.when(keeping.IssueCopy(RECORD, "Ms. N.", "self", (), "true copy"))
    offer = OfferTransfer(RECORD, "south", TransferKind.REFERRAL, None)
    stream.when(offer, counterpart_known=True, package=replace(PACKAGE, record_version=stream.record.version))
    stream.when(replace(correct, born_at=NOW))
    assert stream.last_events == ["BirthCorrected", "TransferOutdated", "CopiesOutdated"]


@pytest.mark.parametrize("make", [closed, submitted, archived, due, permanent, reopened])
@pytest.mark.parametrize("lay", [_free, hold, seal], ids=["free", "held", "sealed"])
def test_a_newborn_with_a_patient_of_its_own_is_linked_wherever_the_record_is(
    make: Callable[[], Stream], lay: Callable[[Stream], object]
) -> None:
    """Said once without a reason; another patient, or none, with one. Nothing else of the record changes."""
    stream = make()
    lay(stream)
    born, child, other = born_in(stream, 1, LATE), UUID(int=72), UUID(int=73)
    before = stream.record
    for patient_id, reason in ((child, ""), (other, "another one's number"), (None, "sent home with her")):
        known = {} if patient_id is None else {"patient": patient()}
        stream.when(LinkNewborn(RECORD, born, patient_id, reason), **known)
        assert stream.last_events == ["NewbornLinked"]
        newborn = stream.record.newborns[born]
        assert (newborn.patient_id, newborn.link_reason) == (patient_id, reason)
    newborns = {born: replace(before.newborns[born], link_reason="sent home with her")}
    assert stream.record == replace(before, version=before.version + 3, newborns=newborns)


def test_whoever_registers_a_newborn_or_corrects_one_links_it() -> None:
    """A midwife and the records office, by roles of the pack in force; no program, though an interface registers."""
    stream = active()
    link = LinkNewborn(RECORD, born_in(stream, 1), UUID(int=72))
    for role in ("interface", "trainee"):
        assert stream.refused(link, actor=replace(PHYSICIAN, role=role), patient=patient())[1] == [
            ("context.actor", "NOT_A_PERSON") if role == "interface" else ("context.actor.role", "ROLE_NOT_ALLOWED")
        ]
    for number, role in enumerate(("midwife", "records_office")):
        moved = replace(link, patient_id=UUID(int=72 + number), reason="another one's number")
        stream.when(moved, actor=replace(PHYSICIAN, role=role), patient=patient())


def test_two_newborns_are_not_one_patient() -> None:
    """Nor is one its mother; who was taken back as registered twice gives its patient free."""
    stream, right, wrong = twice()
    stream.when(LinkNewborn(RECORD, wrong, UUID(int=72)), patient=patient())
    link = LinkNewborn(RECORD, right, UUID(int=72))
    assert stream.refused(link, patient=patient())[1] == [("patient_id", "NOT_ITS_OWN")]
    mother = replace(link, patient_id=stream.record.patient_id)
    assert stream.refused(mother, patient=patient())[1] == [("patient_id", "NOT_ITS_OWN")]
    stream.when(WithdrawNewborn(RECORD, wrong, right, "registered twice"))
    stream.when(link, patient=patient())
    assert stream.record.newborns[right].patient_id == UUID(int=72)


def test_a_newborn_registered_twice_is_led_to_the_right_one() -> None:
    """Entries stay as they were signed, and are about the right one: in copies, corrections, and what comes next."""
    stream, right, wrong = twice()
    stream.when(WithdrawNewborn(RECORD, wrong, right, "registered twice"))
    assert stream.last_events == ["NewbornWithdrawn"]
    of_right = [each for each in stream.record.entries.values() if subject_of(stream.record, each) == right]
    assert [each.last.content.subject_id for each in of_right] == [right, wrong]
    for named in (right, wrong):
        (event,) = stream.when(keeping.IssueCopy(RECORD, "Mr. N.", "father", (), "true copy", named)).events
        assert isinstance(event, CopyIssued)
        assert {each.entry_id for each in event.versions} == {each.entry_id for each in of_right}
    # The laboratory may go on with the id that it knows: its result is taken, and is about the right one.
    late = stream.entry(replace(RESULT, subject_id=wrong))
    assert subject_of(stream.record, stream.record.entries[late]) == right
    assert born_in(stream, 3) not in {right, wrong}


def test_a_withdrawal_is_taken_back() -> None:
    """They were twins: each has its own entries again."""
    stream, right, wrong = twice()
    stream.when(WithdrawNewborn(RECORD, wrong, right, "registered twice"))
    stream.when(RestoreNewborn(RECORD, wrong, "two were born"))
    assert [subject_of(stream.record, each) for each in stream.record.entries.values()] == [None, right, wrong]
    assert not stream.record.newborns[wrong].withdrawn


def test_who_is_meant_is_followed_over_several_withdrawals() -> None:
    """The second is the first, and the first is the third; nobody is led to one who was taken back, nor round about."""
    stream, first, second = twice()
    third = born_in(stream, 3)
    stream.when(WithdrawNewborn(RECORD, second, first, "registered twice"))
    assert stream.refused(WithdrawNewborn(RECORD, first, second, "registered twice"))[1] == [
        ("same_as_id", "UNKNOWN_SUBJECT")
    ]
    stream.when(WithdrawNewborn(RECORD, first, third, "registered thrice"))
    assert [subject_of(stream.record, each) for each in stream.record.entries.values()] == [None, third, third]
    stream.when(RestoreNewborn(RECORD, first, "another one"))
    assert [subject_of(stream.record, each) for each in stream.record.entries.values()] == [None, first, first]


def test_where_nobody_was_born_no_entry_may_be_about_it() -> None:
    """Neither one that stands, nor a later one; what was retracted stands in nobody's way."""
    stream = active()
    born = born_in(stream, 1)
    about = replace(note("Cries."), subject_id=born)
    entry_id = stream.entry(about)
    withdraw = WithdrawNewborn(RECORD, born, None, "typed into the wrong record")
    assert stream.refused(withdraw)[1] == [("same_as_id", "HAS_ENTRIES")]
    stream.when(RetractEntry(RECORD, entry_id, "wrong record"))
    stream.when(withdraw)
    unknown = [("content.subject_id", "UNKNOWN_SUBJECT")]
    assert stream.refused(RecordEntry(RECORD, about, signed()))[1] == unknown
    mothers = stream.entry()
    amend = AmendEntry(RECORD, mothers, AmendmentKind.CORRECTION, "typing", about, signed())
    assert stream.refused(amend)[1] == unknown
    assert stream.refused(keeping.IssueCopy(RECORD, "N.", "self", (), "copy", born))[1][0] == (
        "subject_id",
        "UNKNOWN_SUBJECT",
    )


def test_a_report_of_the_duplicate_is_corrected_by_one_of_the_right_newborn() -> None:
    """They are the same newborn's; the mother's stays another's."""
    stream, right, wrong = twice()
    report = stream.entry(replace(RESULT, subject_id=wrong))
    late = course.FileLateItem(RECORD, replace(RESULT, subject_id=right), signed(), "culture", None, (), report)
    stream.when(WithdrawNewborn(RECORD, wrong, right, "registered twice"))
    # Of the same record once it is archived: only the archive takes late items.
    stream.state = replace(stream.record, phase=archived().record.phase)
    stream.when(late)
    assert stream.last_events == ["LateItemFiled", "EntryCorrectedLate"]
    assert ("corrects_entry_id", "NOT_ITS_REPORT") in stream.refused(
        replace(late, content=RESULT, corrects_entry_id=report)
    )[1]


def test_whoever_holds_an_entry_about_it_is_told_once() -> None:
    """A copy and a package that show entries under the id that was taken back, or that stands again."""
    stream, right, wrong = twice()
    stream.entry(replace(note("Sleeps."), subject_id=wrong))
    stream.when(keeping.IssueCopy(RECORD, "Mr. N.", "father", (), "true copy", wrong))
    offer = OfferTransfer(RECORD, "south", TransferKind.REFERRAL, None)
    stream.when(offer, counterpart_known=True, package=replace(PACKAGE, record_version=stream.record.version))
    stream.when(WithdrawNewborn(RECORD, wrong, right, "registered twice"))
    assert stream.last_events == ["NewbornWithdrawn", "TransferOutdated", "CopiesOutdated"]
    # Who waits to be told is not told twice.
    stream.when(RestoreNewborn(RECORD, wrong, "two were born"))
    assert stream.last_events == ["NewbornRestored"]


@pytest.mark.parametrize("mode", [None, SealMode.ORIGINAL])
def test_what_is_held_or_sealed_is_not_led_elsewhere(mode: SealMode | None) -> None:
    """A dispute is about who it was: mistakes are put right when it is over; adding goes on."""
    stream, right, wrong = twice()
    _ = hold(stream) if mode is None else seal(stream, mode)
    of_record, of_entry = ("HELD", "ENTRY_HELD") if mode is None else ("FULLY_SEALED", SEALED)
    rules = {("record_id", of_record), ("subject_id", of_entry)}
    for command in (
        WithdrawNewborn(RECORD, wrong, right, "registered twice"),
        CorrectBirth(RECORD, right, NOW - timedelta(hours=1), "wrong clock"),
    ):
        assert set(stream.refused(command)[1]) == rules
    born_in(stream, 3)
