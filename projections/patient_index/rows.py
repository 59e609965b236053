"""The rows of the patient index."""

from typing import NamedTuple
from uuid import UUID

from projections.phase import RecordPhase


class Patient(NamedTuple):
    """A patient stream."""

    patient_id: UUID
    version: int
    case_number: str
    merged_into: UUID | None


class Identity(NamedTuple):
    """What a patient stream says of another patient: each of the two streams says it of the other."""

    patient_id: UUID
    other_id: UUID
    version: int
    linked: bool
    absorbed: bool
    """The other one was merged into this one."""


class EpisodeRow(NamedTuple):
    """A record as an episode. Times are Unix microseconds; departments in order, unit separators between them."""

    record_id: UUID
    version: int
    patient_id: UUID
    case_number: str
    visit_type: int
    visit_sequence: int
    phase: int
    permanent: bool
    departments: str
    started_at: int | None
    ended_at: int | None
    in_error: bool = False
    registered_at: int | None = None
    """By the ledger's clock."""

    @property
    def standing(self) -> RecordPhase:
        """Its phase."""
        return RecordPhase(self.phase, self.permanent, self.in_error)


class EpisodeEntry(NamedTuple):
    """A signed entry, with the standardised codes of its newest version as JSON.

    An array of [system, code, display, version, subject]: the subject is a newborn's id, empty of the patient.
    """

    record_id: UUID
    entry_id: UUID
    version: int
    retracted: bool
    codes: str
    corrects: UUID | None = None
    """Of a late item: the entry that it corrects."""


class LinkedNewborn(NamedTuple):
    """The patient who a newborn of a record is."""

    record_id: UUID
    subject_id: UUID
    version: int
    patient_id: UUID | None
    """None = the link was taken back."""
    withdrawn: bool = False
    """The newborn itself was taken back: its link is shown to nobody."""


class Duplicate(NamedTuple):
    """The same fact from another source, linked to an entry by the event of this version."""

    record_id: UUID
    linked_version: int
    version: int
    entry_id: UUID | None
    """None = the record itself."""
    source_system: str
    source_type: str
    source_id: str


class EpisodeConsultation(NamedTuple):
    """A consultation of a record. Times are Unix microseconds."""

    record_id: UUID
    consultation_id: UUID
    version: int
    requested_version: int
    """Version of the record at which it was asked for first."""
    from_department: str
    to_department: str
    urgency: int
    requested_at: int
    """As said, and never later than it was recorded; where somebody called by telephone before, when that was."""
    arrived_at: int | None = None
    """As said."""
    answered_at: int | None = None
    """By the ledger's clock, as withdrawn_at."""
    withdrawn_at: int | None = None
    entry_id: UUID | None = None


class ForeignResult(NamedTuple):
    """What the event of this version says of another hospital's result: recognised, or examined again."""

    record_id: UUID
    said_version: int
    version: int
    result_id: str
    hospital: str
    entry_id: UUID | None
    repeated: bool
