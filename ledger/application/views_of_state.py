"""What reads from the write side give back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.domain.disposal_list import DisposalListState
from ledger.domain.state import PackageState, PatientState, RecordState


@dataclass(frozen=True)
class RecordView:
    """A record as it stands, or stood."""

    record_id: UUID
    version: int
    head_leaf: bytes
    updated_at: datetime
    state: RecordState


@dataclass(frozen=True)
class PatientView:
    """A patient as known now, or at a time."""

    version: int
    state: PatientState


@dataclass(frozen=True)
class PackageView:
    """A received package as it stands."""

    package_id: UUID
    state: PackageState


@dataclass(frozen=True)
class DisposalListView:
    """A destruction list as it stands."""

    list_id: UUID
    state: DisposalListState


@dataclass(frozen=True)
class Found:
    """A stream that was found by what it claimed."""

    stream_id: UUID
    kind: str
    entry_id: UUID | None
    linked: bool = False
    """Nothing was made of the item: another source had said the same before."""


@dataclass(frozen=True)
class StreamRow:
    """A row of the list of streams."""

    stream_id: UUID
    version: int
    first_position: int
    last_position: int
    recorded_at: datetime


@dataclass(frozen=True)
class Load:
    """How busy one hospital's committer is."""

    queue_length: int
    group_size: float
    """Mean commands per flush since the process opened the hospital."""
