"""Every event that a ledger can hold, as plain frozen dataclasses.

Each class has the body message of the same name in protos/ledger/api/v1/events.proto, field for field, and the stored
name `ledger.v1.<class>`. A class is never changed once released: a new version is a new class and an upcast.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import get_args
from uuid import UUID

from ledger.domain.course_events import CourseEvent
from ledger.domain.disposal_events import DisposalEvent
from ledger.domain.endorsement_events import EndorsementEvent
from ledger.domain.identity_events import IdentityEvent
from ledger.domain.keeping_events import KeepingEvent
from ledger.domain.late_item_events import LateItemEvent
from ledger.domain.log_events import DestructionsUpheld, LogSucceeded
from ledger.domain.map_events import MapPublished
from ledger.domain.newborn_events import NewbornEvent
from ledger.domain.rulebook_events import RulebookEvent
from ledger.domain.sample_events import SampleAssessed
from ledger.domain.transfer_events import TransferEvent
from ledger.domain.use_events import UseEvent
from ledger.domain.values import (
    Actor,
    AmendmentKind,
    Attestation,
    Defect,
    Disposition,
    EntryContent,
    EntryState,
    EventMeta,
    IdentityStatus,
    PatientDetails,
    Urgency,
    VisitType,
)


@dataclass(frozen=True)
class PatientRegistered:
    """A patient became known to the hospital (patient stream)."""

    meta: EventMeta
    case_number: str
    identity: IdentityStatus
    details: PatientDetails


@dataclass(frozen=True)
class PatientAmended:
    """A patient's data were changed (patient stream)."""

    meta: EventMeta
    details: PatientDetails
    reason: str


@dataclass(frozen=True)
class RecordRegistered:
    """A record (one episode) was registered."""

    meta: EventMeta
    patient_id: UUID
    case_number: str
    visit_type: VisitType
    visit_sequence: int
    department: str
    identity: IdentityStatus
    retention_class: str
    rule_pack: str
    rule_pack_version: int


@dataclass(frozen=True)
class CareStarted:
    """Care began."""

    meta: EventMeta
    department: str
    bed: str
    responsible: Actor | None
    team: str


@dataclass(frozen=True)
class EntryRecorded:
    """An entry was recorded, signed: a new one, or the version that ends a draft."""

    meta: EventMeta
    entry_id: UUID
    content: EntryContent
    attestation: Attestation
    state: EntryState
    entry_version: int = 0
    """Version of the entry; 0 = the first, as events say that were stored before there were drafts."""


@dataclass(frozen=True)
class EntryAmended:
    """A new version of an entry."""

    meta: EventMeta
    entry_id: UUID
    entry_version: int
    kind: AmendmentKind
    reason: str
    content: EntryContent
    attestation: Attestation
    state: EntryState


@dataclass(frozen=True)
class EntryRetracted:
    """An entry was retracted: hidden, kept."""

    meta: EventMeta
    entry_id: UUID
    reason: str


@dataclass(frozen=True)
class ConsultationRequested:
    """A consultation was asked for; under the same id once more where its answer was retracted."""

    meta: EventMeta
    consultation_id: UUID
    from_department: str
    to_department: str
    urgency: Urgency
    question: str


@dataclass(frozen=True)
class ConsultationAnswered:
    """A consultation was answered."""

    meta: EventMeta
    consultation_id: UUID
    entry_id: UUID
    opinion: str


@dataclass(frozen=True)
class DepartmentTransferred:
    """The patient went to another department."""

    meta: EventMeta
    from_department: str
    to_department: str
    bed: str
    note_entry_id: UUID | None
    responsible: Actor | None


@dataclass(frozen=True)
class CareEnded:
    """Care ended."""

    meta: EventMeta
    disposition: Disposition
    ended_at: datetime


@dataclass(frozen=True)
class RecordSubmitted:
    """The department handed the record in."""

    meta: EventMeta


@dataclass(frozen=True)
class QualityReturned:
    """Quality control returned the record."""

    meta: EventMeta
    defects: tuple[Defect, ...]


@dataclass(frozen=True)
class QualityPassed:
    """Quality control passed the record."""

    meta: EventMeta
    score: int


@dataclass(frozen=True)
class RecordArchived:
    """The record was archived."""

    meta: EventMeta
    head_leaf: bytes
    retain_until: str
    retention_class: str


Event = (
    PatientRegistered
    | PatientAmended
    | RecordRegistered
    | CareStarted
    | EntryRecorded
    | EntryAmended
    | EntryRetracted
    | ConsultationRequested
    | ConsultationAnswered
    | DepartmentTransferred
    | CareEnded
    | RecordSubmitted
    | QualityReturned
    | QualityPassed
    | SampleAssessed
    | RecordArchived
    | CourseEvent
    | LateItemEvent
    | EndorsementEvent
    | NewbornEvent
    | TransferEvent
    | KeepingEvent
    | UseEvent
    | DisposalEvent
    | IdentityEvent
    | MapPublished
    | LogSucceeded
    | DestructionsUpheld
    | RulebookEvent
)

EVENT_TYPES: tuple[type[Event], ...] = get_args(Event)


def stored_name(event_type: type[Event]) -> str:
    """The name under which events of this class are stored, version included."""
    return f"ledger.v1.{event_type.__name__}"


BY_STORED_NAME: dict[str, type[Event]] = {stored_name(each): each for each in EVENT_TYPES}
