"""Who has borrowed a record hears of a change that is made while it is out: once, until somebody says so."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from ledger.domain.commands import AmendEntry
from ledger.domain.events import Event
from ledger.domain.keeping_commands import LendRecord, RecordHolderTold, ReturnLoan
from ledger.domain.use_events import LoansOutdated
from ledger.domain.values import AmendmentKind
from tests.unit.domain.given import PHYSICIAN, RECORD, SUPERIOR, Stream, archived, note, reopened, signed
from tests.unit.domain.refusals import first, made

LEND = LendRecord(RECORD, SUPERIOR, "", out_of_house=False)


def lent_and_open() -> tuple[Stream, UUID]:
    """An archived case that is out, and open for a correction; the loan."""
    out: list[UUID] = []

    def lent() -> Stream:
        stream = archived()
        out.append(made(stream, LEND, "loan_id"))
        return stream

    return reopened(lent), out[0]


def correct(stream: Stream, title: str = "As corrected") -> tuple[Event, ...]:
    """A correction of the first entry; what it adds."""
    entry = stream.record.entries[first(stream)]
    content = replace(entry.last.content, title=title)
    return stream.when(
        AmendEntry(RECORD, entry.entry_id, AmendmentKind.CORRECTION, "misheard", content, signed())
    ).events


def test_a_borrower_is_told_of_a_change_once() -> None:
    """Beside the amendment; the next one says nothing more while that waits; a letter ends it."""
    stream, loan_id = lent_and_open()
    events = correct(stream)
    assert events[1:] == (LoansOutdated(events[0].meta, (loan_id,), first(stream)),)
    assert stream.record.overlays.loans[loan_id].outdated
    correct(stream, "Once more")
    assert stream.last_events == ["EntryAmended"]
    stream.when(RecordHolderTold(RECORD, loan_id, "by telephone"))
    assert not stream.record.overlays.loans[loan_id].outdated
    correct(stream, "And again")
    assert stream.last_events == ["EntryAmended", "LoansOutdated"]


def test_a_borrower_is_told_of_nothing_that_came_after_the_loan() -> None:
    """What was added since the borrower never had; whoever has brought the record back waits for no letter."""
    stream, loan_id = lent_and_open()
    added = stream.entry(note("Added."), signer=PHYSICIAN)
    assert (
        stream.record.entries[added].versions[0].record_version > stream.record.overlays.loans[loan_id].record_version
    )
    letter = RecordHolderTold(RECORD, loan_id, "by telephone")
    assert stream.refused(letter)[1] == [("holder_id", "NOTHING_TO_TELL")]
    correct(stream)
    assert stream.last_events == ["EntryAmended", "LoansOutdated"]
    stream.when(ReturnLoan(RECORD, loan_id))
    assert stream.refused(letter)[1] == [("holder_id", "UNKNOWN_HOLDER")]


def test_a_letter_to_a_borrower_tells_of_its_own_version() -> None:
    """A change between the letter and its entry in the ledger is still to be told."""
    stream, loan_id = lent_and_open()
    correct(stream)
    written = stream.record.version
    correct(stream, "Once more")
    letter = RecordHolderTold(RECORD, loan_id, "by letter", written)
    stream.when(letter)
    assert stream.last_events == ["HolderTold", "LoansOutdated"]
    stream.when(replace(letter, record_version=stream.record.version))
    assert stream.last_events == ["HolderTold"]
