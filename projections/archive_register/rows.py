"""The rows of the archive register."""

from typing import NamedTuple
from uuid import UUID

from ledger.api.v1 import boards_pb2, common_pb2
from projections.phase import RecordPhase


class RegisteredRecord(NamedTuple):
    """A record in the register. Times are Unix microseconds; `holds` to `papers` count what is open."""

    record_id: UUID
    version: int
    registered_position: int
    head_leaf: bytes
    case_number: str = ""
    visit_type: int = 0
    visit_sequence: int = 0
    phase: int = common_pb2.PHASE_REGISTERED
    permanent: bool = False
    ended_at: int | None = None
    submitted_at: int | None = None
    archived_at: int | None = None
    retention_class: str = ""
    retain_until: str = ""
    returns: int = 0
    score: int = 0
    grade: str = ""
    holds: int = 0
    seals: int = 0
    loans: int = 0
    papers: int = 0
    copies: int = 0
    restrictions: int = 0
    """How many restrict its use."""
    opinion: int = 0
    approved: bool = False
    list_id: str = ""
    destroyed_at: int | None = None
    in_error: bool = False
    department: str = ""
    """The last that had the patient."""
    passed: bool = False
    """Quality control passed what was handed in last."""
    sample: int = boards_pb2.SAMPLE_STANDING_UNSPECIFIED
    sampled_at: int | None = None

    @property
    def standing(self) -> RecordPhase:
        """Its phase."""
        return RecordPhase(self.phase, self.permanent, self.in_error)


class OverlayRow(NamedTuple):
    """Something that lies over a record. What is over keeps its id only."""

    record_id: UUID
    kind: str
    """`hold`, `seal`, `loan` or `paper`."""
    item_id: UUID
    version: int
    open: bool
    since: int
    detail: str = ""
    """Authority of a hold, borrower's id of a loan, shelf of a paper."""
    mode: int = 0
    """Mode of a seal; 1 = a loan out of the house."""
    due_on: str = ""
