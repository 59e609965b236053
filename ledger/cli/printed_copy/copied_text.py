"""What a printed copy says of text that its author copied: which section, and from where."""

from __future__ import annotations

from collections.abc import Container, Iterator
from zoneinfo import ZoneInfo

from ledger.api.v1.common_pb2 import CopySource
from ledger.api.v1.records_pb2 import Entry, EntryVersion
from ledger.cli.printed_copy.entry_text import Line, named
from ledger.cli.printed_copy.late_corrections import LateCorrections


def copied_lines(
    entry: Entry, version: EntryVersion, beside: LateCorrections, hidden: Container[str], zone: ZoneInfo
) -> Iterator[Line]:
    """One line for each source that the version names."""
    for each in version.copied_from:
        what = f"version {each.entry_version} of {_source(entry, each, beside, hidden, zone)}"
        yield Line("Copied text", f"{named(each.section)}, from {what}")


def _source(entry: Entry, source: CopySource, beside: LateCorrections, hidden: Container[str], zone: ZoneInfo) -> str:
    if source.record_id:
        return f"entry {source.entry_id} in record {source.record_id}, as its author said"
    if source.entry_id in hidden:
        return f"entry {source.entry_id}, which was retracted"
    # A copy of a newborn tells no title of what is written about the mother, nor the other way round.
    if not beside.of_same(entry, source.entry_id):
        return f"entry {source.entry_id}"
    return beside.named(source.entry_id, zone)
