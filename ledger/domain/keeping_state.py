"""What may lie over a record in any phase, and how it stands with the archive and with disposal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.domain.keeping_values import DisposalOpinion, EndorsedAct, EntryRef, PaperOutcome, RequestKind, SealMode
from ledger.domain.values import Actor


@dataclass(frozen=True)
class Hold:
    """Versions that may be neither changed nor disposed of."""

    hold_id: UUID
    mandate: str
    versions: frozenset[EntryRef]
    placed_at: datetime
    whole: bool = False
    """It listed everything that there was, as one that names nothing: what stands beside entries is meant too."""


@dataclass(frozen=True)
class Seal:
    """Versions sealed with the other side."""

    seal_id: UUID
    mode: SealMode
    versions: frozenset[EntryRef]
    unfinished: bool
    sealed_at: datetime
    whole: bool = False
    """It listed every entry that there was."""
    second_persons: tuple[Actor, ...] = ()
    """Who stood beside the hospital's person each time; none where an earlier release sealed."""
    reaches: int = 0
    """Version of the record at which it was placed, or extended last."""


@dataclass(frozen=True)
class Endorsement:
    """What a second person said of an act beforehand, by an own login, until that act uses it up."""

    endorsement_id: UUID
    act: EndorsedAct
    endorsed_by: Actor
    endorsed_at: datetime
    """By the ledger's clock."""
    expires_at: datetime
    """The last moment at which the act may be done."""
    reason: str
    subject_id: UUID | None = None
    """Seal that is opened, patient of a correction, right record of one in error; None = the record itself."""
    template: str = ""
    """Of a late item."""
    content_sha256: bytes = b""
    """Of a late item: what it says."""


@dataclass(frozen=True)
class IssuedCopy:
    """A certified copy that was handed out."""

    copy_id: UUID
    applicant: str
    relation: str
    versions: tuple[EntryRef, ...]
    mark: str
    head_leaf: bytes
    record_version: int
    """Version of the record that has this leaf: what the copy shows."""
    issuer: Actor
    issued_at: datetime
    recorded_at: datetime
    """By the ledger's clock."""
    outdated: bool = False
    """What it shows was changed since, and who holds it is to be told."""


@dataclass(frozen=True)
class Loan:
    """An archived case that is out."""

    loan_id: UUID
    borrower: Actor
    due_on: str
    out_of_house: bool
    renewals: int = 0
    record_version: int = 0
    """Version of the record that was lent."""
    outdated: bool = False
    """It was changed since, and the borrower is to be told."""


@dataclass(frozen=True)
class Paper:
    """A scanned paper, where it lies, and what became of it."""

    scan_id: UUID
    shelf: str
    outcome: PaperOutcome | None = None
    moved_by: Actor | None = None
    """Who moved it last; None = it lies where it lay when it was scanned."""
    moved_at: datetime | None = None
    move_reason: str = ""

    @property
    def is_here(self) -> bool:
        """Whether the hospital still has it."""
        return self.outcome in (None, PaperOutcome.KEPT)


@dataclass(frozen=True)
class PatientRequest:
    """What the patient asked for."""

    request_id: UUID
    kind: RequestKind
    due_on: str
    granted: bool | None = None
    """None while nobody has answered."""
    statement: str = ""
    """The patient's own words, where a correction was refused."""
    entry_id: UUID | None = None
    """Entry beside which they stand; None = the record as a whole."""


@dataclass(frozen=True)
class Reopening:
    """A request to change an archived record, and its window once somebody else has approved it."""

    reopen_id: UUID
    requested_by: UUID
    requested_at: datetime
    """By the ledger's clock."""
    entry_ids: frozenset[UUID]
    templates: tuple[str, ...]
    """Templates of which an entry may still be added."""
    expires_at: datetime | None = None
    """None before the approval."""


@dataclass(frozen=True)
class Disposal:
    """How far the disposal of a record has come."""

    opinion: DisposalOpinion
    proposed_by: UUID
    retain_until: str = ""
    approved_by: UUID | None = None
    list_id: UUID | None = None
    reason: str = ""
    record_version: int = 0
    """Version of the record that was appraised."""


@dataclass(frozen=True)
class Destruction:
    """That a record is gone: by which list, when and by whom."""

    list_id: UUID
    destroyed_at: datetime
    destroyed_by: Actor
    approved_by: Actor
    supervisors: tuple[Actor, ...]
    covers: tuple[str, ...]
    head_leaf: bytes
    """Leaf hash of the last event before the destruction."""


@dataclass(frozen=True)
class Missed:
    """A deadline that was reported as missed."""

    rule: str
    subject_id: UUID | None
    due_at: datetime
