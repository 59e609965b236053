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


def acts_on(record: RecordState, entry_ids: Iterable[UUID], after: int = 0) -> list[tuple[EntryRef, int]]:
    """Countersignatures, retractions, corrected times, changes of whom these entries or the record are about: of which
    version, by which record version.

    `after` leaves out what a seal's last step had reached.
    """
    return [
        (EntryRef(entry_id, version.version), act)
        for entry_id in entry_ids
        for version in record.entries[entry_id].versions
        for act in _acts(record, record.entries[entry_id], version)
        if act > after
    ]


def acts_since(record: RecordState, seal: Seal) -> list[tuple[EntryRef, int]]:
    """The same of every entry, after the seal's last step."""
    return acts_on(record, record.entries, after=seal.reaches)


def behind(record: RecordState, seal: Seal) -> bool:
    """Whether the seal can be extended: a finished version is not listed, or something was done since its last step."""
    return bool(unlisted(record, seal) or acts_since(record, seal))


def _acts(record: RecordState, entry: Entry, version: EntryVersion) -> Iterable[int]:
    if version.countersigned_version:
        yield version.countersigned_version
    yield from (each.record_version for each in version.certified)
    # A time and a subject are the entry's, whichever version stands, and so is that it was retracted.
    if version is entry.last:
        yield from (each.record_version for each in record.time_corrections if each.entry_id == entry.entry_id)
        # Of a draft nothing is sealed, not even that.
        yield from entry.led_versions if entry.state is not EntryState.DRAFT else ()
        if entry.retracted:
            yield entry.retracted_version


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
