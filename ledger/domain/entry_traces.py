"""Where what a retracted entry said is found now. Field names are those of protos/ledger/api/v1/common.proto."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class EntryPlace:
    """An entry of another record of the hospital."""

    record_id: UUID
    entry_id: UUID


@dataclass(frozen=True)
class EntryTrace:
    """Of one retracted entry: where it was recorded again, or why it was nowhere."""

    entry_id: UUID
    recorded_again: EntryPlace | None = None
    nowhere_reason: str = ""
    """Why it belongs into no record; empty where it was recorded again."""
