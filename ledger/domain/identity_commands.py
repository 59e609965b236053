"""Commands on who a patient is; field names are those of protos/ledger/api/v1/identity.proto."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ledger.domain.values import Actor


@dataclass(frozen=True)
class LinkPatients:
    """Links two patients who may be the same person."""

    patient_id: UUID
    other_id: UUID
    reason: str


@dataclass(frozen=True)
class UnlinkPatients:
    """Takes a link back."""

    patient_id: UUID
    other_id: UUID
    reason: str


@dataclass(frozen=True)
class MergePatients:
    """Merges a patient into another one; nothing is lost, and it can be taken back."""

    patient_id: UUID
    survivor_id: UUID
    reason: str


@dataclass(frozen=True)
class UnmergePatients:
    """Takes a merge back."""

    patient_id: UUID
    survivor_id: UUID
    reason: str


@dataclass(frozen=True)
class WithdrawIdentification:
    """Takes back that a provisional person was somebody, where nobody knows who else it is."""

    record_id: UUID
    reason: str
    confirmed_by: Actor | None


@dataclass(frozen=True)
class WithdrawRecognition:
    """Takes back that a source's item is about a patient, to whom a mistyped identifier had led it."""

    patient_id: UUID
    system: str
    type: str
    id: str
    reason: str


IdentityCommand = (
    LinkPatients | UnlinkPatients | MergePatients | UnmergePatients | WithdrawIdentification | WithdrawRecognition
)
