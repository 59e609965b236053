"""The record one event later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from ledger.domain.bucket_map import BucketMap
from ledger.domain.changed import changed
from ledger.domain.state import Archiving, Entry, EntryVersion, Overlays, RecordState

T = TypeVar("T")


def next_version(state: RecordState, **changes: Any) -> RecordState:
    """The record one version later, with these changes."""
    return changed(state, version=state.version + 1, **changes)


def with_entry(state: RecordState, entry: Entry) -> RecordState:
    """With an entry added or replaced."""
    return next_version(state, entries=state.entries.having(entry.entry_id, entry))


def with_next(before: Entry | None, entry_id: UUID, version: EntryVersion) -> Entry:
    """The entry with one version more, and all else that is known of it; or a new one."""
    return Entry(entry_id, (version,)) if before is None else replace(before, versions=(*before.versions, version))


def led(state: RecordState, entries: Iterable[Entry]) -> BucketMap[Entry]:
    """All entries of the record, these being about somebody else by the event that follows."""
    found, version = state.entries, state.version + 1
    for entry in tuple(entries):
        found = found.having(entry.entry_id, replace(entry, led_versions=(*entry.led_versions, version)))
    return found


def with_overlays(state: RecordState, **changes: Any) -> RecordState:
    """With these overlays."""
    overlays: Overlays = changed(state.overlays, **changes)
    return next_version(state, overlays=overlays)


def latest_end(state: RecordState, *said: datetime) -> datetime:
    """The latest end of care that was ever said, these included: what one person says later cuts no term short."""
    return max((*said, *((state.latest_end,) if state.latest_end else ())))


def with_archiving(state: RecordState, **changes: Any) -> RecordState:
    """With this standing at quality control and archive."""
    archiving: Archiving = changed(state.archiving, **changes)
    return next_version(state, archiving=archiving)


def without(mapping: Mapping[UUID, T], key: UUID) -> dict[UUID, T]:
    """What is left once that key is gone."""
    return {each: value for each, value in mapping.items() if each != key}
