"""Events in the course of care; see events.py for what every event class promises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.domain.certificate_values import CheckedCertificate, RevocationEvidence
from ledger.domain.entry_traces import EntryTrace
from ledger.domain.values import Actor, Attestation, CopySource, Defect, EntryContent, EventMeta, TimeOf


@dataclass(frozen=True)
class EntryDrafted:
    """A draft of an entry was written: not signed, checked for type and size only."""

    meta: EventMeta
    entry_id: UUID
    entry_version: int
    content: EntryContent


@dataclass(frozen=True)
class EntryCountersigned:
    """A superior attested a version that its author had signed."""

    meta: EventMeta
    entry_id: UUID
    entry_version: int
    attestation: Attestation


@dataclass(frozen=True)
class EntryCertified:
    """A signature by certificate was added to one version, which the same person had signed by login."""

    meta: EventMeta
    entry_id: UUID
    entry_version: int
    signed_bytes: bytes
    cms: bytes
    evidence: tuple[RevocationEvidence, ...]
    checked: CheckedCertificate


@dataclass(frozen=True)
class DeficiencyAccepted:
    """A defect that can no longer be mended was accepted; never a signature."""

    meta: EventMeta
    entry_id: UUID | None
    template: str
    reason: str


@dataclass(frozen=True)
class ConsultationArrived:
    """The consultant arrived."""

    meta: EventMeta
    consultation_id: UUID


@dataclass(frozen=True)
class ArrivalEnteredLate:
    """The arrival before this event was entered later than the pack allows without a reason."""

    meta: EventMeta
    consultation_id: UUID
    reason: str


@dataclass(frozen=True)
class CareResumed:
    """The discharge was withdrawn and care goes on."""

    meta: EventMeta
    reason: str


@dataclass(frozen=True)
class RecordVoided:
    """A record that was registered by mistake was voided while it held no entry."""

    meta: EventMeta
    reason: str


@dataclass(frozen=True)
class RecordEnteredInError:
    """The record was declared wrong (wrong patient or a duplicate); it is kept."""

    meta: EventMeta
    reason: str
    confirmed_by: Actor
    correct_record_id: UUID | None


@dataclass(frozen=True)
class RecordRecalled:
    """The department took the record back before quality control looked at it."""

    meta: EventMeta
    reason: str


@dataclass(frozen=True)
class QualityAssessed:
    """Quality control looked at the record: what it found, and what the record's pack makes of that."""

    meta: EventMeta
    defects: tuple[Defect, ...]
    score: int
    """Computed by the ledger: the full score less the points of the defects."""
    full_score: int
    grade: str
    vetoed: bool


@dataclass(frozen=True)
class DeadlineMissed:
    """A deadline of the rule pack passed; it tags, and never blocks a late entry."""

    meta: EventMeta
    rule: str
    subject_id: UUID | None
    since: datetime
    due_at: datetime


@dataclass(frozen=True)
class DeadlineMissWithdrawn:
    """A corrected start showed that a deadline had not been missed."""

    meta: EventMeta
    rule: str
    subject_id: UUID | None
    due_at: datetime


@dataclass(frozen=True)
class ResultRecognised:
    """An examination result of another hospital was recognised instead of being repeated."""

    meta: EventMeta
    result_id: str
    hospital: str
    entry_id: UUID | None


@dataclass(frozen=True)
class ExaminationRepeated:
    """An examination was repeated although a result was known."""

    meta: EventMeta
    result_id: str
    hospital: str
    reason: str


@dataclass(frozen=True)
class DuplicateLinked:
    """The same fact came from another source: recorded once, and linked."""

    meta: EventMeta
    entry_id: UUID | None
    """None = the record itself."""


@dataclass(frozen=True)
class IdentificationCorrected:
    """Somebody else was meant; whom the record belongs to is said by the PatientIdentified that follows."""

    meta: EventMeta
    reason: str
    confirmed_by: Actor


@dataclass(frozen=True)
class VisitRenumbered:
    """The stay has another number under the patient to whom it belongs now."""

    meta: EventMeta
    visit_sequence: int


@dataclass(frozen=True)
class PatientIdentified:
    """The identity of a provisional person was established."""

    meta: EventMeta
    patient_id: UUID
    case_number: str


@dataclass(frozen=True)
class TimeCorrected:
    """A time was corrected; what was said before stays in the event that said it."""

    meta: EventMeta
    of: TimeOf
    entry_id: UUID | None
    move: int
    before: datetime
    corrected_at: datetime
    reason: str
    consultation_id: UUID | None


@dataclass(frozen=True)
class ConsultationCalled:
    """The consultation that the event before this one asks for had been called for by telephone."""

    meta: EventMeta
    consultation_id: UUID
    called_at: datetime


@dataclass(frozen=True)
class ConsultationWithdrawn:
    """A consultation that was asked for by mistake was withdrawn; its clock ends with this event."""

    meta: EventMeta
    consultation_id: UUID
    reason: str


@dataclass(frozen=True)
class AnsweredBeforeRequest:
    """The answer before this event was given before anybody had asked in writing."""

    meta: EventMeta
    consultation_id: UUID
    reason: str


@dataclass(frozen=True)
class ContentCopied:
    """Part of the entry that the event before this one brings was copied from elsewhere."""

    meta: EventMeta
    entry_id: UUID
    entry_version: int
    sources: tuple[CopySource, ...]


@dataclass(frozen=True)
class EntriesTraced:
    """Of retracted entries it was said where each was recorded again, or why it was nowhere."""

    meta: EventMeta
    traces: tuple[EntryTrace, ...]


@dataclass(frozen=True)
class PhysicianAssigned:
    """A physician was put in charge."""

    meta: EventMeta
    responsible: Actor
    reason: str


CourseEvent = (
    EntryDrafted
    | EntryCountersigned
    | EntryCertified
    | DeficiencyAccepted
    | ConsultationArrived
    | ArrivalEnteredLate
    | CareResumed
    | RecordVoided
    | RecordEnteredInError
    | RecordRecalled
    | QualityAssessed
    | DeadlineMissed
    | DeadlineMissWithdrawn
    | ResultRecognised
    | ExaminationRepeated
    | DuplicateLinked
    | PatientIdentified
    | IdentificationCorrected
    | VisitRenumbered
    | TimeCorrected
    | PhysicianAssigned
    | ConsultationCalled
    | ConsultationWithdrawn
    | AnsweredBeforeRequest
    | ContentCopied
    | EntriesTraced
)
