"""The rows of the department board."""

from typing import NamedTuple
from uuid import UUID


class BoardRecord(NamedTuple):
    """A record on its department's board. Times are Unix microseconds."""

    record_id: UUID
    version: int
    case_number: str
    visit_type: int
    phase: int
    department: str
    bed: str
    responsible: str
    since: int | None
    open_consultations: int


class BoardEntry(NamedTuple):
    """An entry of a record. `first_version` is the record version that brought it."""

    record_id: UUID
    entry_id: UUID
    version: int
    first_version: int
    title: str
    recorded_at: int
    retracted: bool
