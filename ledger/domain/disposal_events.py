"""Events of destruction lists; see events.py for what every event class promises."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.disposal_values import CoveredRecord, ListedRecord, ReportedRecord
from ledger.domain.values import Actor, EventMeta


@dataclass(frozen=True)
class DisposalListDrawnUp:
    """A destruction list was drawn up."""

    meta: EventMeta
    title: str
    records: tuple[ListedRecord, ...]


@dataclass(frozen=True)
class DisposalListApproved:
    """Another person approved it, and named in whose name; of an earlier release."""

    meta: EventMeta
    approver: Actor


@dataclass(frozen=True)
class DisposalListAppraised:
    """The appraisal group passed it."""

    meta: EventMeta


@dataclass(frozen=True)
class DisposalListAuthorised:
    """The head of the hospital, or the authority, approved it."""

    meta: EventMeta


@dataclass(frozen=True)
class DisposalSupervisionSigned:
    """A supervisor signed for its execution."""

    meta: EventMeta


@dataclass(frozen=True)
class DisposalListExecuted:
    """The confirmation report: what became of each record."""

    meta: EventMeta
    supervisors: tuple[Actor, ...]
    outcomes: tuple[ReportedRecord, ...]
    destroyed: int
    left_out: int


@dataclass(frozen=True)
class DisposalCoverageReported:
    """Beside the report before it: what else went with the records that were destroyed."""

    meta: EventMeta
    records: tuple[CoveredRecord, ...]
    """Those with which anything went, in the order of the list."""


DisposalEvent = (
    DisposalListDrawnUp
    | DisposalListApproved
    | DisposalListAppraised
    | DisposalListAuthorised
    | DisposalSupervisionSigned
    | DisposalListExecuted
    | DisposalCoverageReported
)
