"""The rows of the worklist."""

from typing import NamedTuple
from uuid import UUID

from ledger.api.v1 import common_pb2
from projections.phase import RecordPhase

DONE = 0
"""Kind of an item that waits for nobody any more."""
RETENTION_RUNS = 100
"""Kind of the item of an archived record whose retention date lies ahead: listed once the date asked for has come."""


class WorkRecord(NamedTuple):
    """A record as far as its items need it."""

    record_id: UUID
    version: int
    case_number: str = ""
    phase: int = common_pb2.PHASE_REGISTERED
    permanent: bool = False
    department: str = ""
    responsible_id: str = ""
    in_error: bool = False

    @property
    def standing(self) -> RecordPhase:
        """Its phase."""
        return RecordPhase(self.phase, self.permanent, self.in_error)


class WorkItemRow(NamedTuple):
    """One thing that waits. Times are Unix microseconds."""

    record_id: UUID
    item: str
    """What it is about within the record: `entry:<id>`, `filing`, ..."""
    version: int
    kind: int = DONE
    """Kind of the contract, DONE, or RETENTION_RUNS."""
    department: str = ""
    """Department that has to do it; empty = the one that has the record."""
    person_id: str = ""
    """Person it waits for; empty = whoever is in charge of the record."""
    rule: str = ""
    since: int = 0
    due_at: int | None = None
    due_on: str = ""
    subject_id: str = ""
    defects: str = "[]"
    """Defects as a JSON array of [code, entry_id, text]."""
    score: int = 0
    """Of RETURNED, what the defects make; known before, from the assessment in the same step."""
    grade: str = ""
    delivered: bool = False
    """Of HOLDER: the hospital has the package, whatever becomes of the offer."""
