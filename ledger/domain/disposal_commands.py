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
    """Approves a list: another person, who names the approver of every destruction."""

    list_id: UUID
    approver: Actor | None


@dataclass(frozen=True)
class RecordDisposalReport:
    """Records what became of each record of a list, and so closes it."""

    list_id: UUID
    supervisors: tuple[Actor, ...]
    outcomes: tuple[ReportedRecord, ...]


DisposalCommand = DrawUpDisposalList | ApproveDisposalList | RecordDisposalReport
