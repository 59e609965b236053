"""Parts of a record's state that stem from the course of care."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.domain.values import Actor, TimeOf, Urgency


@dataclass(frozen=True)
class Consultation:
    """A consultation as it stands."""

    consultation_id: UUID
    from_department: str
    to_department: str
    urgency: Urgency
    requested_at: datetime
    """As said, and never later than it was recorded; where somebody called by telephone before, when that was."""
    question: str = ""
    arrived_at: datetime | None = None
    """As said."""
    answered_at: datetime | None = None
    """By the ledger's clock, as of every note."""
    entry_id: UUID | None = None
    arrival_reason: str = ""
    """Why the arrival was entered late; empty where nobody had to say."""
    called_at: datetime | None = None
    """When somebody called by telephone before the request."""
    answer_reason: str = ""
    """Why the answer came before the request; empty where it did not."""
    record_version: int = 0
    """Version of the record at which it was asked for first."""
    requested_by: UUID | None = None
    arrived_by: UUID | None = None
    """Who said that the consultant is there."""
    withdrawn_at: datetime | None = None
    """By the ledger's clock; None = it was not withdrawn."""
    withdrawal_reason: str = ""

    @property
    def answered(self) -> bool:
        """Whether the answer is there."""
        return self.entry_id is not None


@dataclass(frozen=True)
class BirthCorrection:
    """A time of birth that was corrected."""

    before: datetime
    born_at: datetime
    reason: str
    corrected_by: Actor
    recorded_at: datetime


@dataclass(frozen=True)
class Newborn:
    """A newborn as a subject of the mother's record."""

    subject_id: UUID
    number: int
    born_at: datetime
    """As corrected last."""
    late_reason: str = ""
    """Why it was entered late; empty where it was not."""
    withdrawn: bool = False
    same_as_id: UUID | None = None
    """Of one that was taken back: who is meant by it; None = nobody was born."""
    reason: str = ""
    """Why it was taken back, or stands again."""
    corrections: tuple[BirthCorrection, ...] = ()
    patient_id: UUID | None = None
    """The patient of this hospital that it is, with records of its own; None = nobody said so."""
    link_reason: str = ""
    """Why that is another patient than was said before, or none; empty where it was said once."""
    record_version: int = 0
    """Version of the record that says so first."""


@dataclass(frozen=True)
class DepartmentMove:
    """The patient went from one department to another."""

    to_department: str
    moved_at: datetime
    record_version: int = 0
    """Version of the record that says so first."""
    note_entry_id: UUID | None = None
    """The transfer-out note that went with it."""


@dataclass(frozen=True)
class Provisional:
    """Somebody whom nobody knew, and the stay as one of that person's."""

    patient_id: UUID
    case_number: str
    visit_sequence: int


@dataclass(frozen=True)
class TimeCorrection:
    """A time that was corrected."""

    of: TimeOf
    entry_id: UUID | None
    move: int
    before: datetime
    corrected_at: datetime
    reason: str
    corrected_by: Actor
    recorded_at: datetime
    consultation_id: UUID | None = None
    record_version: int = 0
    """Version of the record at which it was corrected."""


@dataclass(frozen=True)
class ForeignResult:
    """What became of another hospital's examination result: it was recognised, or made again for a reason."""

    result_id: str
    hospital: str
    said_by: Actor
    recorded_at: datetime
    record_version: int
    """Version of the record at which it was said."""
    entry_id: UUID | None = None
    """Of one that was recognised: the entry of this record that quotes it."""
    repeated: bool = False
    reason: str = ""
    """Why it was made again; empty of one that was recognised."""
