"""Which entry versions a seal or a hold takes in: what is finished, and of that what it does not list yet."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from ledger.domain.keeping_state import Seal
from ledger.domain.keeping_values import EntryRef
from ledger.domain.state import Entry, EntryVersion, RecordState
from ledger.domain.values import EntryState


def finished_versions(record: RecordState, entry_ids: Iterable[UUID] = ()) -> list[tuple[UUID, EntryVersion]]:
    """All versions of the entries named, of all where none is named, retracted ones too.

    An open draft is left out: somebody is still writing it, and what was sealed or held does not change.
    """
    wanted = tuple(entry_ids) or tuple(record.entries)
    return [
        (entry_id, version)
        for entry_id in wanted
        if record.entries[entry_id].state is not EntryState.DRAFT
        for version in record.entries[entry_id].versions
    ]


def unlisted(record: RecordState, seal: Seal) -> list[tuple[UUID, EntryVersion]]:
    """Finished versions that the seal does not list: an extension adds them."""
    return [
        (entry_id, version)
        for entry_id, version in finished_versions(record)
        if EntryRef(entry_id, version.version) not in seal.versions
    ]


def acts_since(record: RecordState, seal: Seal) -> list[tuple[EntryRef, int]]:
    """Countersignatures and retractions after the seal's last step: of which version, and by which record version."""
    return [
        (EntryRef(entry.entry_id, version.version), act)
        for entry in record.entries.values()
        for version in entry.versions
        for act in _acts(entry, version)
        if act > seal.reaches
    ]


def _acts(entry: Entry, version: EntryVersion) -> Iterable[int]:
    if version.countersigned_version:
        yield version.countersigned_version
    # Nothing of a retracted entry changes any more: its last change is that it was retracted.
    if entry.retracted and version is entry.last:
        yield entry.changed_version


def came_since(record: RecordState, seal: Seal) -> list[EntryRef]:
    """What came after the seal was placed and it does not list: it lies beside the seal until that is extended.

    A version that it lists stands here once it was countersigned or retracted: the act is as new as a version is.
    """
    new = (
        EntryRef(entry_id, version.version)
        for entry_id, version in unlisted(record, seal)
        if record.entries[entry_id].last.recorded_at > seal.sealed_at
    )
    return list(dict.fromkeys((*new, *(of for of, _ in acts_since(record, seal)))))
