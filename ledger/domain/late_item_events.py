"""Events of what is filed late, without reopening the record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.domain.values import Actor, Attestation, EntryContent, EntryState, EventMeta


@dataclass(frozen=True)
class LateItemFiled:
    """A new result or report was filed without reopening the record."""

    meta: EventMeta
    entry_id: UUID
    content: EntryContent
    attestation: Attestation
    state: EntryState
    reason: str
    originated_at: datetime


@dataclass(frozen=True)
class EntryCorrectedLate:
    """A late item says what is right where an entry, which stays as it is, is wrong."""

    meta: EventMeta
    entry_id: UUID
    entry_version: int
    late_entry_id: UUID


@dataclass(frozen=True)
class LateItemConfirmed:
    """A second person confirmed what was filed beside a hold or seal, which lets nobody reopen the case."""

    meta: EventMeta
    entry_id: UUID
    confirmed_by: Actor


LateItemEvent = LateItemFiled | EntryCorrectedLate | LateItemConfirmed
