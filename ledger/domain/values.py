"""Value types that commands and events share. Field names are those of protos/ledger/api/v1/common.proto."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class VisitType(StrEnum):
    """How the patient came; the path through the phases depends on it."""

    INPATIENT = "INPATIENT"
    OUTPATIENT = "OUTPATIENT"
    EMERGENCY = "EMERGENCY"
    OBSERVATION = "OBSERVATION"


class Phase(StrEnum):
    """Where a record stands between registration and the end of its life."""

    REGISTERED = "REGISTERED"
    ACTIVE = "ACTIVE"
    CLOSED = "CLOSED"
    SUBMITTED = "SUBMITTED"
    RETURNED = "RETURNED"
    ARCHIVED = "ARCHIVED"
    REOPENED = "REOPENED"
    DUE = "DUE"
    PERMANENT = "PERMANENT"
    DESTROYED = "DESTROYED"
    VOIDED = "VOIDED"
    ENTERED_IN_ERROR = "ENTERED_IN_ERROR"


class EntryState(StrEnum):
    """What the last version of an entry counts as."""

    DRAFT = "DRAFT"
    AUTHORED = "AUTHORED"
    SIGNED = "SIGNED"
    COUNTERSIGNED = "COUNTERSIGNED"
    RETRACTED = "RETRACTED"


class AmendmentKind(StrEnum):
    """Why an entry got a new version."""

    AMENDMENT = "AMENDMENT"
    CORRECTION = "CORRECTION"
    AUGMENTATION = "AUGMENTATION"


class TimeOf(StrEnum):
    """What a time is of that may be corrected."""

    CARE_START = "CARE_START"
    MOVE = "MOVE"
    ENTRY = "ENTRY"
    CARE_END = "CARE_END"
    CONSULTATION_REQUEST = "CONSULTATION_REQUEST"
    CONSULTATION_ARRIVAL = "CONSULTATION_ARRIVAL"


class Urgency(StrEnum):
    """How soon a consultation is needed."""

    ROUTINE = "ROUTINE"
    EMERGENCY = "EMERGENCY"


class Disposition(StrEnum):
    """How care ended."""

    HOME = "HOME"
    DEATH = "DEATH"
    TRANSFERRED = "TRANSFERRED"
    AGAINST_ADVICE = "AGAINST_ADVICE"
    OTHER = "OTHER"


class IdentityStatus(StrEnum):
    """Whether the patient's identity was established."""

    MATCHED = "MATCHED"
    UNVERIFIED = "UNVERIFIED"


class TransferKind(StrEnum):
    """What a transfer to another hospital is for."""

    TRANSFER = "TRANSFER"
    REFERRAL = "REFERRAL"
    DISCHARGE = "DISCHARGE"
    SUMMARY = "SUMMARY"


class TransferState(StrEnum):
    """Where a transfer stands."""

    PROPOSED = "PROPOSED"
    PACKAGED = "PACKAGED"
    OFFERED = "OFFERED"
    DELIVERED = "DELIVERED"
    VERIFIED = "VERIFIED"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    COMPLETED = "COMPLETED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    SUPERSEDED = "SUPERSEDED"


class TransferAnswer(StrEnum):
    """What a recipient says about a package."""

    VERIFIED = "VERIFIED"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"


@dataclass(frozen=True)
class Actor:
    """A person or system that acts, as known at that moment."""

    id: UUID
    name: str = ""
    role: str = ""
    department: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Coding:
    """A code from a code system."""

    system: str
    code: str
    display: str = ""
    version: str = ""


@dataclass(frozen=True)
class Quantity:
    """A measured value; the number stays text so that no digit is lost."""

    value: str
    unit: str = ""


@dataclass(frozen=True)
class Field:
    """One structured field of a section; exactly one of the five values is set."""

    code: str
    text: str | None = None
    coding: Coding | None = None
    quantity: Quantity | None = None
    time: datetime | None = None
    flag: bool | None = None
    uncoded_reason: str = ""
    topic: Coding | None = None
    result_id: str = ""


@dataclass(frozen=True)
class Section:
    """One section of an entry: narrative, structured fields, or both."""

    code: str
    text: str = ""
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True)
class Attachment:
    """A large binary by reference; the ledger keeps its digest, not its bytes."""

    sha256: bytes
    size: int
    media_type: str
    title: str = ""
    location: str = ""


@dataclass(frozen=True)
class EntryContent:
    """What one version of an entry says."""

    template: str
    template_version: int
    title: str = ""
    sections: tuple[Section, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    subject_id: UUID | None = None
    language: str = ""


@dataclass(frozen=True)
class CopySource:
    """From where a section of an entry was copied."""

    section: str
    """Section that holds the copied text."""
    entry_id: UUID
    entry_version: int
    record_id: UUID | None = None
    """None = the same record."""


@dataclass(frozen=True)
class Attestation:
    """How one version was attested; an empty method means that it was not signed."""

    method: str = ""
    signer: Actor | None = None
    signed_at: datetime | None = None
    view_sha256: bytes = b""


@dataclass(frozen=True)
class SourceItem:
    """Where an imported item came from, and the digest of what it said."""

    system: str
    type: str
    id: str
    content_sha256: bytes = b""


@dataclass(frozen=True)
class HeldItem:
    """One more source item that an entry holds, and what it states about the patient, whichever system says so."""

    item: SourceItem
    fact_sha256: bytes = b""
    """Empty = not compared with what others say."""


@dataclass(frozen=True)
class Defect:
    """A defect found by quality control."""

    code: str
    entry_id: UUID | None = None
    text: str = ""


@dataclass(frozen=True)
class PatientIdentifier:
    """An identifier of a patient in a naming system."""

    system: str
    value: str
    type: str = ""


@dataclass(frozen=True)
class PatientDetails:
    """A person's data as known to the hospital."""

    identifiers: tuple[PatientIdentifier, ...] = ()
    name: str = ""
    birth_date: str = ""
    gender: str = ""
    deceased_at: str = ""


@dataclass(frozen=True)
class EventMeta:
    """What every event's body says about itself."""

    actor: Actor
    occurred_at: datetime
    command_id: UUID
    historical: bool = False
    source: SourceItem | None = None
    correlation_id: UUID | None = None
    purpose: str = ""
