"""Every command, one per intent; field names are those of the requests in protos/ledger/api/v1."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.domain.course_commands import CourseCommand
from ledger.domain.disposal_commands import DisposalCommand
from ledger.domain.entry_traces import EntryPlace
from ledger.domain.identity_commands import IdentityCommand
from ledger.domain.keeping_commands import KeepingCommand
from ledger.domain.map_commands import PublishMap
from ledger.domain.rulebook_commands import RulebookCommand
from ledger.domain.sample_commands import AssessSample
from ledger.domain.transfer_commands import TransferCommand
from ledger.domain.values import (
    Actor,
    AmendmentKind,
    Attestation,
    CopySource,
    Defect,
    Disposition,
    EntryContent,
    HeldItem,
    IdentityStatus,
    PatientDetails,
    SourceItem,
    Urgency,
    VisitType,
)


@dataclass(frozen=True)
class CommandContext:
    """What every command carries beside its own fields."""

    hospital: str
    command_id: UUID
    actor: Actor
    expected_version: int | None = None
    occurred_at: datetime | None = None
    historical: bool = False
    source: SourceItem | None = None
    correlation_id: UUID | None = None
    purpose: str = ""
    fact_sha256: bytes = b""
    """What the source item states, whichever system says so; empty = not compared."""


@dataclass(frozen=True)
class RegisterPatient:
    """Registers a patient, or amends one that the same source registered before."""

    case_number: str
    identity: IdentityStatus
    details: PatientDetails


@dataclass(frozen=True)
class AmendPatient:
    """Changes a patient's data."""

    patient_id: UUID
    details: PatientDetails
    reason: str


@dataclass(frozen=True)
class RegisterRecord:
    """Registers a record: one episode of one patient."""

    patient_id: UUID
    visit_type: VisitType
    visit_sequence: int
    department: str


@dataclass(frozen=True)
class StartCare:
    """Starts care."""

    record_id: UUID
    department: str
    bed: str
    responsible: Actor | None
    team: str


@dataclass(frozen=True)
class RecordEntry:
    """Records a signed entry: a new one, or the version that ends a draft."""

    record_id: UUID
    content: EntryContent
    attestation: Attestation | None
    draft_id: UUID | None = None
    also: tuple[HeldItem, ...] = ()
    """Further source items that the entry holds."""
    copied_from: tuple[CopySource, ...] = ()
    """From where parts of it were copied."""


@dataclass(frozen=True)
class AmendEntry:
    """Gives an entry a new version."""

    record_id: UUID
    entry_id: UUID
    kind: AmendmentKind
    reason: str
    content: EntryContent
    attestation: Attestation | None
    entry_version: int = 0
    """The version that the author saw; 0 = whatever the last one is."""
    also: tuple[HeldItem, ...] = ()
    """Further source items that the entry holds."""
    copied_from: tuple[CopySource, ...] = ()
    """From where parts of it were copied."""


@dataclass(frozen=True)
class RetractEntry:
    """Hides an entry, with a reason; it is kept."""

    record_id: UUID
    entry_id: UUID
    reason: str
    recorded_again: EntryPlace | None = None
    """Where it was recorded again; None = that is not said."""
    nowhere_reason: str = ""
    """Why it belongs into no record; empty where it was recorded again, or where that is not said."""


@dataclass(frozen=True)
class RequestConsultation:
    """Asks another department for a consultation."""

    record_id: UUID
    to_department: str
    urgency: Urgency
    question: str
    called_at: datetime | None = None
    """When the department was called by telephone, before the request."""


@dataclass(frozen=True)
class AnswerConsultation:
    """Answers a consultation."""

    record_id: UUID
    consultation_id: UUID
    opinion: str
    content: EntryContent
    attestation: Attestation | None
    reason: str = ""
    """Why the answer comes before the request."""


@dataclass(frozen=True)
class TransferDepartment:
    """Moves the patient to another department."""

    record_id: UUID
    to_department: str
    bed: str
    note_entry_id: UUID | None
    responsible: Actor | None


@dataclass(frozen=True)
class EndCare:
    """Ends care."""

    record_id: UUID
    disposition: Disposition
    ended_at: datetime | None


@dataclass(frozen=True)
class SubmitRecord:
    """Hands the record in to quality control."""

    record_id: UUID


@dataclass(frozen=True)
class ReturnRecord:
    """Returns the record to the department with defects."""

    record_id: UUID
    defects: tuple[Defect, ...]


@dataclass(frozen=True)
class PassQuality:
    """Passes the record, with the defects that may stay."""

    record_id: UUID
    score: int = 0
    """0 = as the defects make it; a score that is sent must agree with them."""
    defects: tuple[Defect, ...] = ()


@dataclass(frozen=True)
class ArchiveRecord:
    """Archives the record."""

    record_id: UUID


Command = (
    RegisterPatient
    | AmendPatient
    | RegisterRecord
    | StartCare
    | RecordEntry
    | AmendEntry
    | RetractEntry
    | RequestConsultation
    | AnswerConsultation
    | TransferDepartment
    | EndCare
    | SubmitRecord
    | ReturnRecord
    | PassQuality
    | AssessSample
    | ArchiveRecord
    | TransferCommand
    | CourseCommand
    | KeepingCommand
    | DisposalCommand
    | IdentityCommand
    | PublishMap
    | RulebookCommand
)
