"""Who holds a copy or a package is told that the record was changed since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from ledger.domain.commands import AmendEntry, Command, RecordEntry, RetractEntry
from ledger.domain.course_commands import CorrectTime, FileLateItem
from ledger.domain.decide_holder import HOLDING
from ledger.domain.decision import ClaimedItem, PackageFacts
from ledger.domain.keeping_commands import IssueCopy, RecordHolderTold
from ledger.domain.source_claim import Taken
from ledger.domain.transfer_commands import ExpireTransfer, OfferTransfer, RecordTransferAnswer, WithdrawTransfer
from ledger.domain.transfer_events import TransferOutdated
from ledger.domain.use_events import CopiesOutdated
from ledger.domain.values import AmendmentKind, TimeOf, TransferAnswer, TransferKind, TransferState
from tests.unit.domain.given import (
    DIGEST,
    NOW,
    OTHER_DIGEST,
    PACKAGE,
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
    package = PackageFacts(stream.record.version, PACKAGE.head_leaf, stream.record.version, DIGEST, 1234)
    offer = OfferTransfer(RECORD, recipient, TransferKind.REFERRAL, None)
    transfer_id = made(stream, offer, "transfer_id", counterpart_known=True, package=package)
    stream.when(RecordTransferAnswer(RECORD, transfer_id, recipient, TransferAnswer.ACCEPTED, "", ""))
    return transfer_id


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
    assert [each.transfer_id for each in stream.record.transfers.values() if each.outdated] == [south, newer]


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


def test_a_change_tells_every_hospital_of_a_large_registry() -> None:
    """Each by an event of its own, of one command."""
    stream = active()
    entry_id = stream.entry()
    for number in range(120):
        handed_over(stream, f"hospital-{number}")
    stream.when(amend(entry_id))
    assert stream.last_events == ["EntryAmended", *["TransferOutdated"] * 120]
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
