"""Commands in the course of care; field names are those of protos/ledger/api/v1/course.proto."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.domain.certificate_values import RevocationEvidence
from ledger.domain.entry_traces import EntryTrace
from ledger.domain.keeping_values import EndorsedAct
from ledger.domain.newborn_commands import NewbornCommand
from ledger.domain.values import Actor, Attestation, EntryContent, HeldItem, TimeOf


@dataclass(frozen=True)
class DraftEntry:
    """Writes a draft, or a new version of one."""

    record_id: UUID
    entry_id: UUID | None
    content: EntryContent


@dataclass(frozen=True)
class CountersignEntry:
    """Countersigns the last version of an entry that a trainee signed."""

    record_id: UUID
    entry_id: UUID
    entry_version: int
    attestation: Attestation | None


@dataclass(frozen=True)
class CertifyEntry:
    """Adds a signature by certificate to the last version of an entry, by who signed that by login."""

    record_id: UUID
    entry_id: UUID
    entry_version: int
    cms: bytes
    """Detached CMS SignedData over the bytes that GetBytesToSign gives."""
    evidence: tuple[RevocationEvidence, ...] = ()


@dataclass(frozen=True)
class FileLateItem:
    """Files a new result or report without reopening."""

    record_id: UUID
    content: EntryContent
    attestation: Attestation | None
    reason: str
    originated_at: datetime | None
    also: tuple[HeldItem, ...] = ()
    """Further source items that the entry holds."""
    corrects_entry_id: UUID | None = None
    """Entry that the item corrects; None = none, or the one that its source item was before."""
    confirmed_by: Actor | None = None
    """The second person, required for what lies beside a hold or seal."""


@dataclass(frozen=True)
class EndorseAct:
    """Endorses one act beforehand, as its second person: who sends it names that person, who does not send it."""

    record_id: UUID
    act: EndorsedAct
    subject_id: UUID | None
    """Seal that is opened, patient of a correction, right record of one in error (None = there is none)."""
    content: EntryContent | None
    """What a late item will say, to the letter; None for any other act."""
    reason: str


@dataclass(frozen=True)
class AcceptDeficiency:
    """Accepts a defect that can no longer be mended (medical affairs)."""

    record_id: UUID
    entry_id: UUID | None
    template: str
    reason: str


@dataclass(frozen=True)
class ArriveAtConsultation:
    """Says that the consultant arrived."""

    record_id: UUID
    consultation_id: UUID
    reason: str = ""
    """Why it is entered so late."""


@dataclass(frozen=True)
class WithdrawConsultation:
    """Withdraws a consultation that was asked for by mistake."""

    record_id: UUID
    consultation_id: UUID
    reason: str


@dataclass(frozen=True)
class ResumeCare:
    """Withdraws a discharge."""

    record_id: UUID
    reason: str


@dataclass(frozen=True)
class VoidRecord:
    """Voids a record that was registered by mistake and holds no entry."""

    record_id: UUID
    reason: str


@dataclass(frozen=True)
class DeclareEnteredInError:
    """Declares a record wrong: wrong patient or a duplicate. Two persons; every entry is retracted before."""

    record_id: UUID
    reason: str
    confirmed_by: Actor | None
    correct_record_id: UUID | None
    traces: tuple[EntryTrace, ...] = ()
    """Of entries of whose retraction it was not said where they were recorded again."""


@dataclass(frozen=True)
class RecallRecord:
    """Takes a submitted record back before quality control has looked at it."""

    record_id: UUID
    reason: str


@dataclass(frozen=True)
class ReportMissedDeadline:
    """Reports that a deadline of the record's pack was missed (the clock sends it)."""

    record_id: UUID
    rule: str
    subject_id: UUID | None
    due_at: datetime | None


@dataclass(frozen=True)
class WithdrawMissedDeadline:
    """Takes back a report that a corrected start has made false (the clock sends it)."""

    record_id: UUID
    rule: str
    subject_id: UUID | None
    due_at: datetime | None


@dataclass(frozen=True)
class RecogniseResult:
    """Recognises another hospital's result instead of repeating the examination."""

    record_id: UUID
    result_id: str
    from_hospital: str
    entry_id: UUID | None


@dataclass(frozen=True)
class RepeatExamination:
    """Says why an examination is repeated although a result is known."""

    record_id: UUID
    result_id: str
    from_hospital: str
    reason: str


@dataclass(frozen=True)
class LinkDuplicate:
    """Links the command's source item to an entry (None = the record) that holds the same fact from another source."""

    record_id: UUID
    entry_id: UUID | None


@dataclass(frozen=True)
class IdentifyPatient:
    """Files the record of a provisional person under the patient who was identified, or corrects that: two persons."""

    record_id: UUID
    patient_id: UUID
    visit_sequence: int = 0
    """Number of the stay among that patient's, where its own is taken; 0 = it keeps its own."""
    reason: str = ""
    """Of a correction."""
    confirmed_by: Actor | None = None
    """The second person of a correction."""


@dataclass(frozen=True)
class CorrectTime:
    """Corrects when care began or ended, the patient moved, a consultant came, or what an entry says happened."""

    record_id: UUID
    of: TimeOf
    entry_id: UUID | None
    move: int
    """Of MOVE: which one, from 1; 0 for any other."""
    corrected_at: datetime
    reason: str
    consultation_id: UUID | None = None


@dataclass(frozen=True)
class AssignPhysician:
    """Puts another physician in charge, or names one where a team took over."""

    record_id: UUID
    responsible: Actor | None
    reason: str


CourseCommand = (
    DraftEntry
    | CountersignEntry
    | CertifyEntry
    | FileLateItem
    | EndorseAct
    | AcceptDeficiency
    | ArriveAtConsultation
    | WithdrawConsultation
    | ResumeCare
    | VoidRecord
    | DeclareEnteredInError
    | NewbornCommand
    | RecallRecord
    | ReportMissedDeadline
    | WithdrawMissedDeadline
    | RecogniseResult
    | RepeatExamination
    | LinkDuplicate
    | IdentifyPatient
    | CorrectTime
    | AssignPhysician
)
