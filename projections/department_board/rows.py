"""The rows of the department board."""

from typing import NamedTuple
from uuid import UUID

from projections.phase import RecordPhase


class BoardRecord(NamedTuple):
    """A record on its department's board. Times are Unix microseconds."""

    record_id: UUID
    version: int
    case_number: str
    visit_type: int
    phase: int
    permanent: bool
    identity: int
    department: str
    bed: str
    responsible: str
    since: int | None
    open_consultations: int
    moves: int
    """Between departments."""
    in_error: bool = False
    responsible_id: str = ""

    @property
    def standing(self) -> RecordPhase:
        """Its phase."""
        return RecordPhase(self.phase, self.permanent, self.in_error)


class BoardEntry(NamedTuple):
    """An entry of a record. `first_version` is the record version that brought it, as a draft or signed."""

    record_id: UUID
    entry_id: UUID
    version: int
    first_version: int
    title: str
    recorded_at: int
    state: int
    """State of the newest version; 0 where the event says none, which counts as signed."""
    late: bool
    """Filed late, without reopening."""
    historical: bool
    """The newest version was taken over from an earlier system: nobody here countersigns it."""
    corrects: UUID | None = None
    """Of a late item: the entry that it corrects."""
    subject_id: UUID | None = None
    """The newborn whom its newest version is about; None = the patient of the record."""
