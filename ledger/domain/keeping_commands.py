"""Commands of the records office; field names are those of protos/ledger/api/v1/keeping.proto."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.domain.keeping_values import (
    DisposalOpinion,
    EntryRef,
    PaperOutcome,
    RequestKind,
    SealMode,
    SealParty,
    UnsealGround,
)
from ledger.domain.values import Actor


@dataclass(frozen=True)
class RequestReopen:
    """Asks for an archived record to be opened for named changes."""

    record_id: UUID
    reason: str
    entry_ids: tuple[UUID, ...]
    templates: tuple[str, ...]


@dataclass(frozen=True)
class ApproveReopen:
    """Approves it: another person than the one who asked."""

    record_id: UUID
    reopen_id: UUID
    expires_at: datetime | None


@dataclass(frozen=True)
class RearchiveRecord:
    """Archives a reopened record again."""

    record_id: UUID


@dataclass(frozen=True)
class PlaceHold:
    """Places a hold."""

    record_id: UUID
    mandate: str
    authority: str
    versions: tuple[EntryRef, ...]


@dataclass(frozen=True)
class LiftHold:
    """Lifts a hold."""

    record_id: UUID
    hold_id: UUID
    reason: str


@dataclass(frozen=True)
class SealRecord:
    """Seals every version there is, in the presence of the other side."""

    record_id: UUID
    mode: SealMode
    party: SealParty
    party_name: str
    entry_ids: tuple[UUID, ...]
    second_person: Actor | None = None
    """Who stands on the other side."""


@dataclass(frozen=True)
class ExtendSeal:
    """Adds what came since to the seal of an unfinished record, in the presence of the other side."""

    record_id: UUID
    seal_id: UUID
    second_person: Actor | None = None
    """Who stands on the other side."""


@dataclass(frozen=True)
class UnsealRecord:
    """Opens a seal."""

    record_id: UUID
    seal_id: UUID
    ground: UnsealGround
    party_name: str
    second_person: Actor | None = None
    """Who stands on the other side; a second person of the hospital where it opens alone."""


@dataclass(frozen=True)
class IssueCopy:
    """Hands out a certified copy."""

    record_id: UUID
    applicant: str
    relation: str
    entry_ids: tuple[UUID, ...]
    mark: str
    subject_id: UUID | None = None
    """Newborn of the record of whom it is; None = the patient. A copy is of one of them alone."""


@dataclass(frozen=True)
class LendRecord:
    """Lends the archived case."""

    record_id: UUID
    borrower: Actor | None
    due_on: str
    out_of_house: bool


@dataclass(frozen=True)
class RenewLoan:
    """Renews a loan."""

    record_id: UUID
    loan_id: UUID


@dataclass(frozen=True)
class ReturnLoan:
    """Takes the case back."""

    record_id: UUID
    loan_id: UUID


@dataclass(frozen=True)
class FilePaperScan:
    """Files the scan of a paper document."""

    record_id: UUID
    title: str
    pages: int
    resolution_dpi: int
    operator: Actor | None
    checker: Actor | None
    sha256: bytes
    shelf: str


@dataclass(frozen=True)
class AccountForPaper:
    """Says what became of a paper."""

    record_id: UUID
    scan_id: UUID
    outcome: PaperOutcome
    reason: str


@dataclass(frozen=True)
class MovePaper:
    """Says that a paper lies elsewhere now."""

    record_id: UUID
    scan_id: UUID
    shelf: str
    reason: str


@dataclass(frozen=True)
class RecordPatientRequest:
    """Records what the patient asks for."""

    record_id: UUID
    kind: RequestKind
    applicant: str
    relation: str
    text: str


@dataclass(frozen=True)
class AnswerPatientRequest:
    """Grants or refuses it, with the legal ground."""

    record_id: UUID
    request_id: UUID
    granted: bool
    ground: str
    statement: str
    entry_id: UUID | None


@dataclass(frozen=True)
class LiftRestriction:
    """Ends a restriction of use, with its ground."""

    record_id: UUID
    reason: str
    request_id: UUID | None = None
    """Request for which use was restricted; None = the only one."""


@dataclass(frozen=True)
class RecordHolderTold:
    """Says that who holds a copy or a package was told that the record has changed since."""

    record_id: UUID
    holder_id: UUID
    """The copy or the transfer."""
    note: str
    record_version: int = 0
    """Version of the record that the holder was told of; 0 = as it is now."""


@dataclass(frozen=True)
class ExtendRetention:
    """Moves the retention date on, never back (the system sends it at a readmission)."""

    record_id: UUID
    retain_until: str
    cause: str
    cause_record_id: UUID | None


@dataclass(frozen=True)
class EndRetention:
    """Says that the retention term is over."""

    record_id: UUID


@dataclass(frozen=True)
class AppraiseDisposal:
    """Gives an opinion on a record that is due."""

    record_id: UUID
    opinion: DisposalOpinion
    reason: str
    retain_until: str


@dataclass(frozen=True)
class ApproveDisposal:
    """Approves the opinion: another person than the proposer."""

    record_id: UUID
    list_id: UUID | None


@dataclass(frozen=True)
class RejectAppraisal:
    """Rejects the opinion, or takes it back: the record may be appraised anew."""

    record_id: UUID
    reason: str


@dataclass(frozen=True)
class DestroyRecord:
    """Destroys a record by a list that its approver and two supervisors have signed, who all differ."""

    record_id: UUID
    list_id: UUID
    approved_by: Actor | None
    """None, or who approved the list."""
    supervisors: tuple[Actor, ...]
    """Empty, or those who signed for its execution."""
    covers: tuple[str, ...]


KeepingCommand = (
    RequestReopen
    | ApproveReopen
    | RearchiveRecord
    | PlaceHold
    | LiftHold
    | SealRecord
    | ExtendSeal
    | UnsealRecord
    | IssueCopy
    | LendRecord
    | RenewLoan
    | ReturnLoan
    | FilePaperScan
    | AccountForPaper
    | MovePaper
    | RecordPatientRequest
    | AnswerPatientRequest
    | LiftRestriction
    | RecordHolderTold
    | ExtendRetention
    | EndRetention
    | AppraiseDisposal
    | ApproveDisposal
    | RejectAppraisal
    | DestroyRecord
)
