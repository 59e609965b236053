"""Commands on destruction lists. Their field names are those of the requests."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ledger.domain.disposal_values import ReportedRecord
from ledger.domain.values import Actor


@dataclass(frozen=True)
class DrawUpDisposalList:
    """Draws a list up of records that are due and appraised for destruction (the proposer)."""

    title: str
    record_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class ApproveDisposalList:
    """Passes a list for the appraisal group: another person than the proposer."""

    list_id: UUID
    approver: Actor | None = None
    """Refused: who approves says so himself."""


@dataclass(frozen=True)
class AuthoriseDisposalList:
    """Approves a list as the head of the hospital, or the authority: who stands for every destruction by it."""

    list_id: UUID


@dataclass(frozen=True)
class SuperviseDisposalList:
    """Signs for the execution of a list as one of its two supervisors."""

    list_id: UUID


@dataclass(frozen=True)
class RecordDisposalReport:
    """Records what became of each record of a list, and so closes it."""

    list_id: UUID
    supervisors: tuple[Actor, ...]
    """Empty, or those who signed."""
    outcomes: tuple[ReportedRecord, ...]


DisposalCommand = (
    DrawUpDisposalList | ApproveDisposalList | AuthoriseDisposalList | SuperviseDisposalList | RecordDisposalReport
)
