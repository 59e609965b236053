"""Events of the archive; see events.py for what every event class promises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.domain.keeping_values import (
    DisposalOpinion,
    EntryRef,
    PaperOutcome,
    RequestKind,
    SealedVersion,
    SealMode,
    SealParty,
    SealStep,
    UnsealGround,
)
from ledger.domain.values import Actor, EventMeta


@dataclass(frozen=True)
class ReopenRequested:
    """Somebody asked for an archived record to be opened for named changes."""

    meta: EventMeta
    reopen_id: UUID
    reason: str
    entry_ids: tuple[UUID, ...]
    templates: tuple[str, ...]


@dataclass(frozen=True)
class ReopenApproved:
    """Another person approved it; the window is open until it expires."""

    meta: EventMeta
    reopen_id: UUID
    expires_at: datetime


@dataclass(frozen=True)
class RecordRearchived:
    """The reopened record was archived again."""

    meta: EventMeta
    reopen_id: UUID
    head_leaf: bytes
    retain_until: str


@dataclass(frozen=True)
class HoldPlaced:
    """A hold forbids change and disposal of what it lists, and disposal of the record."""

    meta: EventMeta
    hold_id: UUID
    mandate: str
    authority: str
    versions: tuple[EntryRef, ...]


@dataclass(frozen=True)
class HoldLifted:
    """A hold ended."""

    meta: EventMeta
    hold_id: UUID
    reason: str


@dataclass(frozen=True)
class RecordSealed:
    """Entry versions were sealed by the hospital and the other side."""

    meta: EventMeta
    seal_id: UUID
    mode: SealMode
    party: SealParty
    party_name: str
    versions: tuple[SealedVersion, ...]
    unfinished: bool


@dataclass(frozen=True)
class SealExtended:
    """What came since was added to a seal."""

    meta: EventMeta
    seal_id: UUID
    versions: tuple[SealedVersion, ...]


@dataclass(frozen=True)
class RecordUnsealed:
    """A seal was opened."""

    meta: EventMeta
    seal_id: UUID
    ground: UnsealGround
    party_name: str


@dataclass(frozen=True)
class SealAttended:
    """Who stood beside the hospital's person (the actor) when a seal was placed, extended or opened."""

    meta: EventMeta
    seal_id: UUID
    step: SealStep
    second_person: Actor


@dataclass(frozen=True)
class CopyIssued:
    """A certified copy was handed out."""

    meta: EventMeta
    copy_id: UUID
    applicant: str
    relation: str
    versions: tuple[EntryRef, ...]
    mark: str
    head_leaf: bytes


@dataclass(frozen=True)
class LoanIssued:
    """The archived case was lent."""

    meta: EventMeta
    loan_id: UUID
    borrower: Actor
    due_on: str
    out_of_house: bool


@dataclass(frozen=True)
class LoanRenewed:
    """A loan was renewed."""

    meta: EventMeta
    loan_id: UUID
    due_on: str


@dataclass(frozen=True)
class LoanReturned:
    """The archived case came back."""

    meta: EventMeta
    loan_id: UUID


@dataclass(frozen=True)
class PaperScanned:
    """A paper document was scanned; the paper has a whereabouts and a disposal of its own."""

    meta: EventMeta
    scan_id: UUID
    title: str
    pages: int
    resolution_dpi: int
    operator: Actor
    checker: Actor
    sha256: bytes
    shelf: str


@dataclass(frozen=True)
class PaperAccounted:
    """It was said what became of a paper."""

    meta: EventMeta
    scan_id: UUID
    outcome: PaperOutcome
    reason: str


@dataclass(frozen=True)
class PaperMoved:
    """A scanned paper lies elsewhere now."""

    meta: EventMeta
    scan_id: UUID
    shelf: str
    reason: str


@dataclass(frozen=True)
class PatientRequestRecorded:
    """The patient asked for something about the record."""

    meta: EventMeta
    request_id: UUID
    kind: RequestKind
    applicant: str
    relation: str
    text: str
    due_on: str


@dataclass(frozen=True)
class PatientRequestAnswered:
    """The request was granted or refused."""

    meta: EventMeta
    request_id: UUID
    granted: bool
    ground: str
    statement: str
    entry_id: UUID | None


@dataclass(frozen=True)
class UseRestricted:
    """Use is restricted to storage, care, law and claims."""

    meta: EventMeta
    request_id: UUID


@dataclass(frozen=True)
class RetentionExtended:
    """The record is kept longer; the date never moves back."""

    meta: EventMeta
    retain_until: str
    cause: str
    cause_record_id: UUID | None


@dataclass(frozen=True)
class RetentionEnded:
    """The retention term is over; disposal may be appraised."""

    meta: EventMeta
    retain_until: str


@dataclass(frozen=True)
class DisposalAppraised:
    """The proposer gave an opinion on what becomes of the record."""

    meta: EventMeta
    opinion: DisposalOpinion
    reason: str
    retain_until: str


@dataclass(frozen=True)
class DisposalApproved:
    """The appraisal group approved the opinion."""

    meta: EventMeta
    opinion: DisposalOpinion
    list_id: UUID | None


@dataclass(frozen=True)
class AppraisalRejected:
    """The opinion on a record no longer counts: it was not followed, or was taken back."""

    meta: EventMeta
    opinion: DisposalOpinion
    reason: str


@dataclass(frozen=True)
class RecordDestroyed:
    """The record was destroyed: its key goes, the envelopes stay."""

    meta: EventMeta
    list_id: UUID
    approved_by: Actor
    supervisors: tuple[Actor, ...]
    covers: tuple[str, ...]
    head_leaf: bytes


KeepingEvent = (
    ReopenRequested
    | ReopenApproved
    | RecordRearchived
    | HoldPlaced
    | HoldLifted
    | RecordSealed
    | SealExtended
    | RecordUnsealed
    | SealAttended
    | CopyIssued
    | LoanIssued
    | LoanRenewed
    | LoanReturned
    | PaperScanned
    | PaperAccounted
    | PaperMoved
    | PatientRequestRecorded
    | PatientRequestAnswered
    | UseRestricted
    | RetentionExtended
    | RetentionEnded
    | DisposalAppraised
    | DisposalApproved
    | AppraisalRejected
    | RecordDestroyed
)
