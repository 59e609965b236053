"""Copied text names the entry that it was copied from, version by version."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from ledger.domain.commands import AmendEntry, RecordEntry
from ledger.domain.copied_content import SOURCES_MAX
from ledger.domain.values import AmendmentKind, CopySource
from tests.unit.domain.given import RECORD, active, note, signed

NOBODY = UUID(int=9)


def test_an_entry_names_where_its_text_is_from() -> None:
    """One event beside the entry, kept with that version; what is written anew without copying names nothing."""
    stream = active()
    first = stream.entry(note("Stable, same therapy."))
    source = CopySource("note", first, 1)
    made = stream.when(RecordEntry(RECORD, note("Stable, same therapy."), signed(), copied_from=(source,)))
    assert stream.last_events == ["EntryRecorded", "ContentCopied"]
    second = made.result["entry_id"]
    assert isinstance(second, UUID)
    assert stream.record.entries[second].last.copied_from == (source,)
    stream.when(AmendEntry(RECORD, second, AmendmentKind.CORRECTION, "own words", note("Better."), signed()))
    versions = stream.record.entries[second].versions
    assert [each.copied_from for each in versions] == [(source,), ()]


def test_an_amendment_may_be_copied_too() -> None:
    """The version that it makes names the source, and no other does."""
    stream = active()
    first, second = stream.entry(), stream.entry()
    source = CopySource("note", first, 1)
    amend = AmendEntry(RECORD, second, AmendmentKind.AUGMENTATION, "more", note("Both."), signed(), 1, (), (source,))
    stream.when(amend)
    assert stream.last_events == ["EntryAmended", "ContentCopied"]
    assert [each.copied_from for each in stream.record.entries[second].versions] == [(), (source,)]


def test_a_source_that_is_not_there_is_refused_with_every_fault() -> None:
    """Of this record entry and version are looked up; of another they are kept as said."""
    stream = active()
    first = stream.entry()
    wrong = (
        CopySource("plan", first, 1),
        CopySource("note", NOBODY, 1),
        CopySource("note", first, 2, RECORD),
        CopySource("note", first, 0),
        CopySource("note", first, 0),
    )
    faults = stream.refused(RecordEntry(RECORD, note(), signed(), copied_from=wrong))[1]
    assert sorted(faults) == [
        ("copied_from[0].section", "UNKNOWN_SECTION"),
        ("copied_from[1].entry_id", "UNKNOWN_ENTRY"),
        ("copied_from[2].entry_version", "UNKNOWN_VERSION"),
        ("copied_from[3].entry_version", "REQUIRED"),
        ("copied_from[4]", "REPEATED_SOURCE"),
        ("copied_from[4].entry_version", "REQUIRED"),
    ]
    elsewhere = CopySource("note", NOBODY, 4, UUID(int=77))
    stream.when(RecordEntry(RECORD, note(), signed(), copied_from=(elsewhere,)))


def test_sources_have_a_limit() -> None:
    """A hundred are taken, one more is refused without looking at each."""
    stream = active()
    entries = tuple(CopySource("note", stream.entry(), 1, UUID(int=77)) for _ in range(1))
    many = tuple(replace(entries[0], entry_version=each + 1) for each in range(SOURCES_MAX + 1))
    refused = stream.refused(RecordEntry(RECORD, note(), signed(), copied_from=many))[1]
    assert refused == [("copied_from", "TOO_MANY")]
    stream.when(RecordEntry(RECORD, note(), signed(), copied_from=many[1:]))
