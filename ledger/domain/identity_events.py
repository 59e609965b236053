"""Events on who a patient is (patient streams); see events.py."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ledger.domain.values import EventMeta


@dataclass(frozen=True)
class PatientLinked:
    """Two patients may be the same person (patient stream, in both)."""

    meta: EventMeta
    other_id: UUID
    reason: str


@dataclass(frozen=True)
class PatientUnlinked:
    """A link was taken back (patient stream, in both)."""

    meta: EventMeta
    other_id: UUID
    reason: str


@dataclass(frozen=True)
class PatientMerged:
    """Two patients are one person (patient stream, in both)."""

    meta: EventMeta
    other_id: UUID
    survivor: bool
    reason: str


@dataclass(frozen=True)
class PatientUnmerged:
    """A merge was taken back (patient stream, in both)."""

    meta: EventMeta
    other_id: UUID
    reason: str


IdentityEvent = PatientLinked | PatientUnlinked | PatientMerged | PatientUnmerged
