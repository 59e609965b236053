"""What the edge may ask of the views. The composition root puts the views' own query services behind these ports."""

from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

from ledger.api.v1 import boards_pb2, stream_pb2, transfers_pb2, usage_pb2, worklist_pb2


@dataclass(frozen=True, slots=True)
class RegisterFilter:
    """Which records are asked for, and in which order; values of the contract's enums."""

    phase: int = 0
    held: bool = False
    lent: bool = False
    retention_before: str = ""
    order: int = 0
    sealed: bool = False
    quality_passed: bool = False
    department: str = ""
    sample: int = 0


@dataclass(frozen=True, slots=True)
class BoardAsked:
    """Which rows of a board, with whose entries, and in which order; values of the contract's enums."""

    subjects: int = 0
    order: int = 0
    responsible: str = ""
    unanswered: bool = False
    responsible_id: str = ""


@dataclass(frozen=True, slots=True)
class EpisodesAsked:
    """Which episodes of a patient, and in which order; values of the contract's enums, times in Unix microseconds."""

    visit_types: frozenset[int] = frozenset()
    phase: int = 0
    care_from: int | None = None
    care_before: int | None = None
    order: int = 0
    identity_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class WorkAsked:
    """Whose worklist: `whose` is the department or the person's id; of the records office it is empty. Enum values."""

    of: Literal["department", "person", "records_office"]
    whose: str = ""
    kind: int = 0
    on_date: str = ""
    order: int = 0
    responsible_id: str = ""


class BoardQueries(Protocol):
    """Department boards and patient indexes.

    Every answer here and below waits until the view has handled `min_position` (0 = do not wait): PositionAboveHead at
    once, WaitTimedOut after at most 5 s, RecordStopped where poison holds that event's record back; ViewAbsent before
    the view's first build. Pages: BadPageSize, BadPageToken.
    """

    async def department_board(
        self,
        hospital: str,
        department: str,
        page_size: int,
        page_token: str,
        min_position: int,
        asked: BoardAsked,
    ) -> boards_pb2.GetDepartmentBoardResponse:
        """Who is in a department and passes the filter, in its order, with the entries that were asked for."""
        ...

    async def departments(
        self, hospital: str, min_position: int, order: int, page_size: int, page_token: str
    ) -> boards_pb2.ListDepartmentsResponse:
        """All departments that have records, with counts, in the order asked for."""
        ...

    async def patient_index(
        self,
        hospital: str,
        patient_id: UUID | None,
        case_number: str,
        min_position: int,
        asked: EpisodesAsked,
        page_size: int,
        page_token: str,
    ) -> boards_pb2.GetPatientIndexResponse:
        """Episodes of the patient with this id or, where it is None, this case number. UnknownPatient."""
        ...


class IdentityQueries(Protocol):
    """Who a patient is. `page` is the size asked for and the token."""

    async def identities_page(
        self, hospital: str, patient_id: UUID | None, case_number: str, page: tuple[int, str], min_position: int
    ) -> boards_pb2.ListPatientIdentitiesResponse:
        """Every identity of the patient with this id or, where it is None, this case number. UnknownPatient."""
        ...

    async def births_page(
        self, hospital: str, patient_id: UUID | None, case_number: str, page: tuple[int, str], min_position: int
    ) -> boards_pb2.ListPatientBirthsResponse:
        """Where that patient was born. UnknownPatient."""
        ...


class ArchiveQueries(Protocol):
    """The archive register."""

    async def archive_register(
        self, hospital: str, asked: RegisterFilter, page_size: int, page_token: str, min_position: int
    ) -> boards_pb2.ListArchiveRegisterResponse:
        """Records that pass the filter, in its order."""
        ...


class WorklistQueries(Protocol):
    """What waits for somebody."""

    async def worklist(
        self, hospital: str, asked: WorkAsked, page_size: int, page_token: str, min_position: int
    ) -> worklist_pb2.GetWorklistResponse:
        """Items in the order asked for."""
        ...


class UsageQueries(Protocol):
    """Metering."""

    async def usage(
        self, hospital: str, first_day: str, last_day: str, page_size: int, page_token: str, min_position: int
    ) -> usage_pb2.GetUsageResponse:
        """Days in order."""
        ...


class TransferQueries(Protocol):
    """Transfers sent and received."""

    async def transfers(
        self,
        hospital: str,
        page_size: int,
        page_token: str,
        min_position: int,
        *,
        outdated: bool = False,
        since_fork: bool = False,
    ) -> transfers_pb2.ListTransfersResponse:
        """Transfers, the newest first; or received packages that wait for a later version."""
        ...


class ViewOperations(Protocol):
    """State and dead letters of the views; for retry and skip: DeadLetterAbsent, ReasonMissing, ViewAbsent."""

    async def statuses(self, hospital: str, head: int) -> list[stream_pb2.ViewStatus]:
        """Every view against the ledger's head."""
        ...

    async def list_dead_letters(
        self, hospital: str, view: str, page_size: int, page_token: str, *, decided: bool = False
    ) -> stream_pb2.ListDeadLettersResponse:
        """Open dead letters, with `decided` also what was decided on others; view "" = all. ViewAbsent."""
        ...

    async def retry(self, hospital: str, view: str, position: int, reason: str) -> stream_pb2.RetryDeadLetterResponse:
        """Handles a dead letter again, and what is parked behind it."""
        ...

    async def skip(self, hospital: str, view: str, position: int, reason: str) -> stream_pb2.SkipDeadLetterResponse:
        """Gives a dead letter up and handles what is parked behind it."""
        ...
