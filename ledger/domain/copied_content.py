"""Text that was copied from another entry names that entry, so that a reader sees which thought was had when."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from ledger.domain.course_events import ContentCopied
from ledger.domain.decision import Facts
from ledger.domain.faults import Faults
from ledger.domain.refusal import RefusalKind
from ledger.domain.state import RecordState
from ledger.domain.values import CopySource, EntryContent

SOURCES_MAX = 100
"""Sources of one version of an entry."""


def check_copied(
    sources: Sequence[CopySource], content: EntryContent, record_id: UUID, record: RecordState, faults: Faults
) -> None:
    """Notes sources that are not there; what another record holds is kept as said, for no record reads another."""
    if len(sources) > SOURCES_MAX:
        faults.add("copied_from", "TOO_MANY", f"at most {SOURCES_MAX} sources")
        return
    sections = {each.code for each in content.sections}
    for index, each in enumerate(sources):
        where = f"copied_from[{index}]"
        if each.section not in sections:
            faults.add(f"{where}.section", "UNKNOWN_SECTION", "the entry has no such section")
        if each in sources[:index]:
            faults.add(where, "REPEATED_SOURCE", "a source is named once")
        if each.entry_version < 1:
            faults.add(f"{where}.entry_version", "REQUIRED", "the version that was copied")
        if each.record_id in (None, record_id):
            _check_known(each, record, where, faults)


def _check_known(source: CopySource, record: RecordState, where: str, faults: Faults) -> None:
    entry = record.entries.get(source.entry_id)
    if entry is None:
        faults.add(f"{where}.entry_id", "UNKNOWN_ENTRY", "no such entry in this record", RefusalKind.NOT_FOUND)
    elif source.entry_version > entry.last.version:
        faults.add(f"{where}.entry_version", "UNKNOWN_VERSION", "no such version of it", RefusalKind.NOT_FOUND)


def copied(
    sources: tuple[CopySource, ...], entry_id: UUID, entry_version: int, facts: Facts
) -> tuple[ContentCopied, ...]:
    """The event that says so, beside the one that brings the version; none where nothing was copied."""
    return (ContentCopied(facts.meta(), entry_id, entry_version, sources),) if sources else ()
