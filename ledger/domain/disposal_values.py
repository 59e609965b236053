"""Value types of destruction lists. Field names are those of protos/ledger/api/v1/disposal_values.proto."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from ledger.domain.keeping_values import DisposalOpinion
from ledger.domain.values import VisitType


class DisposalListPhase(StrEnum):
    """How far a destruction list has come."""

    DRAWN_UP = "DRAWN_UP"
    """Drawn up, not approved."""
    APPRAISED = "APPRAISED"
    """Passed by the appraisal group: it waits for the head of the hospital."""
    APPROVED = "APPROVED"
    """Its records may be destroyed."""
    EXECUTED = "EXECUTED"
    """Reported: nothing is destroyed by it any longer."""


@dataclass(frozen=True)
class ListedRecord:
    """What remains to be read of a record for ever: no name, nothing clinical."""

    record_id: UUID
    case_number: str
    visit_type: VisitType
    visit_sequence: int
    ended_on: str
    retain_until: str
    opinion: DisposalOpinion
    reason: str
    record_version: int
    head_leaf: bytes


@dataclass(frozen=True)
class ReportedRecord:
    """What became of a record of a list."""

    record_id: UUID
    destroyed: bool
    rules: tuple[str, ...]
    """Rules of the refusal where it was left out."""


@dataclass(frozen=True)
class CoveredRecord:
    """What else went with a destroyed record."""

    record_id: UUID
    covers: tuple[str, ...]
    """As the record's destruction says, for example `paper`."""
