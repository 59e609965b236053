"""A destruction list as it stands: who proposed, who approved, what became of each record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.domain.disposal_values import CoveredRecord, DisposalListPhase, ListedRecord, ReportedRecord
from ledger.domain.values import Actor

SUPERVISORS = 2
"""Who sign for an execution."""


@dataclass(frozen=True)
class DisposalListState:
    """A destruction list (销毁清册); its stream is never destroyed."""

    version: int
    title: str
    records: tuple[ListedRecord, ...]
    proposed_by: Actor
    drawn_up_at: datetime
    phase: DisposalListPhase = DisposalListPhase.DRAWN_UP
    approved_by: Actor | None = None
    """Who passed it for the appraisal group."""
    approver: Actor | None = None
    """Head of the hospital, or the authority; before they approved it, whom an earlier release let others name."""
    approved_at: datetime | None = None
    authorised_at: datetime | None = None
    supervisors: tuple[Actor, ...] = ()
    """Who signed for its execution, up to two."""
    outcomes: tuple[ReportedRecord, ...] = ()
    executed_at: datetime | None = None
    covered: tuple[CoveredRecord, ...] = ()
    """What else went with records; a report of an earlier release does not say it."""

    def names(self, record_id: UUID) -> bool:
        """Whether the record stands on it."""
        return any(each.record_id == record_id for each in self.records)
