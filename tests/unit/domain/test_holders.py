"""Who holds a copy or a package is told that the record was changed since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from ledger.domain.commands import (
    AmendEntry,
    Command,
    EndCare,
    RecordEntry,
    RequestConsultation,
    RetractEntry,
    TransferDepartment,
)
from ledger.domain.course_commands import ArriveAtConsultation, CorrectTime, FileLateItem
from ledger.domain.decide_holder import HOLDING, TOLD_MAX
from ledger.domain.decision import ClaimedItem, PackageFacts
from ledger.domain.keeping_commands import AnswerPatientRequest, IssueCopy, RecordHolderTold, RecordPatientRequest
from ledger.domain.keeping_values import RequestKind
from ledger.domain.source_claim import Taken
from ledger.domain.transfer_commands import ExpireTransfer, OfferTransfer, RecordTransferAnswer, WithdrawTransfer
from ledger.domain.transfer_events import TransferOutdated
from ledger.domain.use_events import CopiesOutdated
from ledger.domain.values import (
    AmendmentKind,
    Disposition,
    TimeOf,
    TransferAnswer,
    TransferKind,
    TransferState,
    Urgency,
)
from tests.unit.domain.given import (
    DIGEST,
    NOW,
    OTHER_DIGEST,
    PACKAGE,
    PHYSICIAN,
    RECORD,
    RESULT,
    Stream,
    active,
    archived,
    note,
    signed,
    source,
)
from tests.unit.domain.refusals import made


def handed_over(stream: Stream, recipient: str = "south") -> UUID:
    """The record as it is goes to another hospital, which accepts it."""
    transfer_id = offered(stream, recipient)
    stream.when(RecordTransferAnswer(RECORD, transfer_id, recipient, TransferAnswer.ACCEPTED, "", ""))
    return transfer_id


def offered(stream: Stream, recipient: str = "south") -> UUID:
    """The record as it is is offered to another hospital."""
    package = PackageFacts(stream.record.version, PACKAGE.head_leaf, stream.record.version, DIGEST, 1234)
    offer = OfferTransfer(RECORD, recipient, TransferKind.REFERRAL, None)
    return made(stream, offer, "transfer_id", counterpart_known=True, package=package)


def copied(stream: Stream, *entry_ids: UUID) -> UUID:
    """A copy of these entries."""
    return made(stream, IssueCopy(RECORD, "Mr. N.", "self", entry_ids, "true copy"), "copy_id")


def amend(entry_id: UUID, text: str = "Feels well.") -> AmendEntry:
    """An amendment."""
    return AmendEntry(RECORD, entry_id, AmendmentKind.CORRECTION, "misheard", note(text), signed())


def retract(entry_id: UUID) -> RetractEntry:
    """A retraction."""
    return RetractEntry(RECORD, entry_id, "wrong patient")


def retime(entry_id: UUID) -> CorrectTime:
    """Another time at which it happened."""
    return CorrectTime(RECORD, TimeOf.ENTRY, entry_id, 0, NOW - timedelta(hours=1), "read off the wrong clock")


@pytest.mark.parametrize("change", [amend, retract, retime])
def test_a_change_tells_everybody_who_has_the_entry(change: Callable[[UUID], Command]) -> None:
    """Each hospital by an event of its own, the applicants of copies by one; who has not this entry is not told."""
    stream = active()
    entry_id, other = stream.entry(), stream.entry()
    south, west = handed_over(stream), handed_over(stream, "west")
    copy_id, beside = copied(stream, entry_id), copied(stream, other)
    change_it = change(entry_id)
    events = stream.when(change_it).events[1:]
    meta = events[0].meta
    assert events == (
        TransferOutdated(meta, south, "south", entry_id),
        TransferOutdated(meta, west, "west", entry_id),
        CopiesOutdated(meta, (copy_id,), entry_id),
    )
    assert {each.transfer_id for each in stream.record.transfers.values() if each.outdated} == {south, west}
    copies = stream.record.overlays.copies
    assert (copies[copy_id].outdated, copies[beside].outdated) == (True, False)


def test_who_waits_to_be_told_is_not_told_twice_and_is_told_of_the_next_change() -> None:
    """Until somebody says that it was done; a later version for the hospital takes the earlier one's place."""
    stream = active()
    entry_id = stream.entry()
    south, copy_id = handed_over(stream), copied(stream, entry_id)
    stream.when(amend(entry_id))
    stream.when(amend(entry_id, "Feels fine."))
    assert stream.last_events == ["EntryAmended"]
    stream.when(RecordHolderTold(RECORD, copy_id, "by letter to Mr. N."))
    newer = handed_over(stream)
    assert stream.record.transfers[south].state is TransferState.SUPERSEDED
    stream.when(amend(entry_id, "Feels better."))
    assert stream.last_events == ["EntryAmended", "TransferOutdated", "CopiesOutdated"]
    assert [each.transfer_id for each in stream.record.transfers.values() if each.outdated] == [newer]


@pytest.mark.parametrize("change", [retract, retime])
def test_what_was_changed_after_the_letter_is_still_to_be_told(change: Callable[[UUID], Command]) -> None:
    """Who holds it was told of one version: a change between the letter and its entry in the ledger is not lost."""
    stream = active()
    entry_id = stream.entry()
    south, copy_id = handed_over(stream), copied(stream, entry_id)
    stream.when(amend(entry_id))
    written = stream.record.version
    stream.when(change(entry_id))
    for holder, news in ((copy_id, "CopiesOutdated"), (south, "TransferOutdated")):
        letter = RecordHolderTold(RECORD, holder, "by letter", written)
        assert stream.refused(replace(letter, record_version=9999))[1] == [("record_version", "OUT_OF_RANGE")]
        stream.when(letter)
        assert stream.last_events == ["HolderTold", news]
        stream.when(replace(letter, record_version=stream.record.version))
        assert stream.last_events == ["HolderTold"]
        assert stream.refused(letter)[1] == [("holder_id", "NOTHING_TO_TELL")]


def test_a_change_tells_as_many_hospitals_as_a_command_may_and_the_next_the_rest() -> None:
    """Each by an event of its own; nobody is forgotten, and nobody is told twice."""
    stream = active()
    entry_id = stream.entry()
    for number in range(TOLD_MAX + 30):
        handed_over(stream, f"hospital-{number}")
    stream.when(amend(entry_id))
    assert stream.last_events == ["EntryAmended", *["TransferOutdated"] * TOLD_MAX]
    stream.when(amend(entry_id, "Feels fine."))
    assert stream.last_events == ["EntryAmended", *["TransferOutdated"] * 30]
    assert all(each.outdated for each in stream.record.transfers.values())


def test_what_was_written_after_the_package_went_out_outdates_nothing() -> None:
    """The recipient never had it; nor is who refused it, or from whom it was taken back, told of anything."""
    stream = active()
    stream.entry()
    handed_over(stream)
    stream.when(amend(stream.entry()))
    assert stream.last_events == ["EntryAmended"]
    other = active()
    first = other.entry()
    package = PackageFacts(other.record.version, PACKAGE.head_leaf, other.record.version, DIGEST, 1234)
    offer = OfferTransfer(RECORD, "south", TransferKind.REFERRAL, None)
    sent = made(other, offer, "transfer_id", counterpart_known=True, package=package)
    other.when(WithdrawTransfer(RECORD, sent, "went home"))
    other.when(amend(first))
    assert other.last_events == ["EntryAmended"]
    assert TransferState.WITHDRAWN not in HOLDING


@pytest.mark.parametrize("ended", ["withdrawn", "rejected"])
def test_who_had_the_package_is_told_whatever_became_of_the_offer(ended: str) -> None:
    """Taking an offer back, or refusing it, takes back nothing that was read."""
    stream = active()
    entry_id = stream.entry()
    transfer_id = offered(stream)
    stream.when(RecordTransferAnswer(RECORD, transfer_id, "south", TransferAnswer.VERIFIED, "", ""))
    if ended == "withdrawn":
        stream.when(WithdrawTransfer(RECORD, transfer_id, "went home"))
    else:
        stream.when(RecordTransferAnswer(RECORD, transfer_id, "south", TransferAnswer.REJECTED, "NO_BED", ""))
    stream.when(amend(entry_id))
    assert stream.last_events == ["EntryAmended", "TransferOutdated"]
    stream.when(RecordHolderTold(RECORD, transfer_id, "by telephone", stream.record.version))
    assert stream.last_events == ["HolderTold"]


def test_who_never_got_the_later_version_is_told_of_the_earlier_one() -> None:
    """The later offer was taken back before anybody fetched it: what the hospital has is the earlier package."""
    stream = active()
    entry_id = stream.entry()
    south = handed_over(stream)
    newer = offered(stream)
    stream.when(amend(entry_id))
    assert [each.transfer_id for each in stream.record.transfers.values() if each.outdated] == [newer]
    stream.when(WithdrawTransfer(RECORD, newer, "went home"))
    stream.when(amend(entry_id, "Feels fine."))
    assert [each.transfer_id for each in stream.record.transfers.values() if each.outdated] == [south, newer]


def stay_times(stream: Stream) -> dict[TimeOf, CorrectTime]:
    """A correction of each time of the stay, an hour back."""
    asked = made(stream, RequestConsultation(RECORD, "neurology", Urgency.ROUTINE, "Why?"), "consultation_id")
    stream.when(ArriveAtConsultation(RECORD, asked))
    stream.when(TransferDepartment(RECORD, "neurology", "2", None, PHYSICIAN))
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    wrong = CorrectTime(RECORD, TimeOf.CARE_START, None, 0, NOW - timedelta(days=4), "read off the wrong clock")
    earlier = replace(wrong, corrected_at=NOW - timedelta(hours=1))
    return {
        TimeOf.CARE_START: wrong,
        TimeOf.CARE_END: replace(wrong, of=TimeOf.CARE_END, corrected_at=NOW + timedelta(minutes=1)),
        TimeOf.MOVE: replace(earlier, of=TimeOf.MOVE, move=1),
        TimeOf.CONSULTATION_REQUEST: replace(earlier, of=TimeOf.CONSULTATION_REQUEST, consultation_id=asked),
        TimeOf.CONSULTATION_ARRIVAL: replace(
            earlier, of=TimeOf.CONSULTATION_ARRIVAL, consultation_id=asked, corrected_at=NOW + timedelta(minutes=1)
        ),
    }


@pytest.mark.parametrize("of", sorted(set(TimeOf) - {TimeOf.ENTRY}))
def test_another_time_of_the_stay_tells_who_has_the_earlier_one(of: TimeOf) -> None:
    """By no entry; who got it before that time was ever said is told of the start of care alone."""
    stream = active()
    entry_id = stream.entry()
    early, early_copy = handed_over(stream, "west"), copied(stream, entry_id)
    corrections = stay_times(stream)
    late, late_copy = handed_over(stream), copied(stream, entry_id)
    written = stream.record.version
    decision = stream.when(corrections[of])
    told = (early, late) if of is TimeOf.CARE_START else (late,)
    copies = (early_copy, late_copy) if of is TimeOf.CARE_START else (late_copy,)
    news = [each for each in decision.events if isinstance(each, TransferOutdated | CopiesOutdated)]
    assert [each.transfer_id for each in news if isinstance(each, TransferOutdated)] == list(told)
    assert news[-1] == CopiesOutdated(news[-1].meta, copies, None)
    letter = RecordHolderTold(RECORD, late, "by letter", written)
    stream.when(letter)
    assert stream.last_events == ["HolderTold", "TransferOutdated"]


@pytest.mark.parametrize("beside", [True, False], ids=["an entry", "the whole"])
def test_what_the_patient_says_against_it_goes_to_who_has_it_without(beside: bool) -> None:
    """A refused correction stands in every copy and package: those that are out are told, a granted one tells none."""
    stream = active()
    entry_id, other = stream.entry(), stream.entry()
    south, copy_id, copy_of_other = handed_over(stream), copied(stream, entry_id), copied(stream, other)
    asked = RecordPatientRequest(RECORD, RequestKind.CORRECTION, "Mr. N.", "self", "I never smoked")
    refuse = AnswerPatientRequest(RECORD, made(stream, asked, "request_id"), False, "law", "I never smoked", entry_id)
    if not beside:
        # Where the record holds entries, one is named: none was, of an answer to another kind of request.
        asked = replace(asked, kind=RequestKind.OBJECTION)
        refuse = replace(refuse, request_id=made(stream, asked, "request_id"), entry_id=None)
    written = stream.record.version
    events = stream.when(refuse).events[1:]
    shown, of = ((copy_id,), entry_id) if beside else ((copy_id, copy_of_other), None)
    meta = events[0].meta
    assert events == (TransferOutdated(meta, south, "south", of), CopiesOutdated(meta, shown, of))
    stream.when(RecordHolderTold(RECORD, copy_id, "by letter", written))
    assert stream.last_events == ["HolderTold", "CopiesOutdated"]
    access = replace(asked, kind=RequestKind.ACCESS)
    grant = AnswerPatientRequest(RECORD, made(stream, access, "request_id"), True, "law", "", None)
    stream.when(grant)
    assert stream.last_events == ["PatientRequestAnswered"]


def test_who_may_have_fetched_an_offer_that_ran_out_is_told() -> None:
    """The package may have been fetched in time; the next version takes its place, and no late answer completes it."""
    stream = active()
    entry_id = stream.entry()
    package = PackageFacts(stream.record.version, PACKAGE.head_leaf, stream.record.version, DIGEST, 1234)
    offer = OfferTransfer(RECORD, "south", TransferKind.REFERRAL, None)
    old = made(stream, offer, "transfer_id", counterpart_known=True, package=package)
    late = NOW + timedelta(days=8)
    stream.when(ExpireTransfer(RECORD, old), now=late)
    stream.when(amend(entry_id), now=late)
    assert stream.last_events == ["EntryAmended", "TransferOutdated"]
    made(stream, offer, "transfer_id", counterpart_known=True, package=package, now=late)
    assert stream.record.transfers[old].state is TransferState.SUPERSEDED
    answer = RecordTransferAnswer(RECORD, old, "south", TransferAnswer.ACCEPTED, "", "")
    assert stream.refused(answer, now=late)[1] == [("transfer_id", "TRANSFER_NOT_OPEN")]


def test_a_late_correction_and_a_sources_tell_too() -> None:
    """Whichever way an entry comes to say something else."""
    stream = archived()
    corrected = made(stream, FileLateItem(RECORD, RESULT, signed(), "pathology", None), "entry_id")
    copied(stream, corrected)
    stream.when(FileLateItem(RECORD, RESULT, signed(), "late pathology", None, corrects_entry_id=corrected))
    assert stream.last_events == ["LateItemFiled", "EntryCorrectedLate", "CopiesOutdated"]
    again = active()
    brought = made(again, RecordEntry(RECORD, note(), signed()), "entry_id", source=source())
    copied(again, brought)
    from_source = RecordEntry(RECORD, note("Otherwise."), signed())
    again.when(from_source, source=source(OTHER_DIGEST), claimed=ClaimedItem(RECORD, brought, DIGEST, Taken.ENTRY))
    assert again.last_events == ["EntryAmended", "CopiesOutdated"]
