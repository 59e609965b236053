"""Puts the views' query services behind the edge's method names: the edge imports no view."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Container, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from ledger.api.v1 import boards_pb2, common_pb2, stream_pb2, transfers_pb2, usage_pb2, worklist_pb2
from ledger.application.ledger import Ledger
from ledger.application.message_codec import from_timestamp, nul_faults, parse_uuid
from ledger.cli.sample_draws import SampleDraws
from ledger.cli.service_state import ServiceState
from ledger.config import Settings
from ledger.domain.command_guards import iso_date
from ledger.domain.faults import Faults
from ledger.domain.refusal import RefusalKind, Refused, Violation
from ledger.stream.partition import partition_of
from ledger.trust.sealing import Opener
from ledger.views.queries import BoardAsked, EpisodesAsked, RegisterFilter, WorkAsked
from projections.archive_queries import ArchiveQueries
from projections.board_queries import BoardQueries
from projections.completeness import Completeness
from projections.connections import connection_pool
from projections.freshness import WAIT_S_MAX, Freshness, PartitionCounts
from projections.identity_queries import IdentityQueries
from projections.operations import ViewOperations
from projections.reading import ViewReader
from projections.sample_queries import SampleQueries
from projections.transfer_queries import TransferQueries
from projections.usage_queries import UsageQueries
from projections.views import ALL
from projections.worklist.open_deadlines import OpenDeadlines
from projections.worklist_queries import WorklistQueries

Query = Callable[[Any], Awaitable[Message]]
_PACKAGE = "ledger.api.v1."


@asynccontextmanager
async def view_queries(
    settings: Settings, ledger: Ledger, opener: Opener, wait_seconds_max: float = WAIT_S_MAX
) -> AsyncGenerator[Mapping[str, Query], None]:
    """The queries by the full name of their method, while the block runs.

    `wait_seconds_max`: how long a query waits for its `min_position`.
    """
    async with connection_pool(settings.postgres_views_url) as pool:
        freshness = Freshness(pool, ledger, PartitionCounts(pool), partition_function(settings), wait_seconds_max)
        reader = ViewReader(pool, freshness)
        # By the layout from which each view was built: a stream of one partition has all in partition 0.
        completeness = Completeness(pool, ledger, partition_of, wait_seconds_max)
        operations = ViewOperations(pool, ALL, opener)
        queries = {
            **_boards(BoardQueries(reader)),
            **_identities(IdentityQueries(reader)),
            **_worklist(WorklistQueries(reader, OpenDeadlines(pool))),
            **_archive(ArchiveQueries(reader)),
            "ArchiveService/DrawSample": SampleDraws(ledger, SampleQueries(reader), completeness).draw,
            **_usage(UsageQueries(reader)),
            **_transfers(TransferQueries(reader)),
            **_operations(operations),
        }
        of_one_hospital = {name: _of_known_hospital(ledger, query) for name, query in queries.items()}
        state = {"OperationsService/GetStatus": ServiceState(settings, ledger, operations, pool).get_status}
        yield {_PACKAGE + name: without_nul(query) for name, query in {**of_one_hospital, **state}.items()}


def without_nul(query: Query) -> Query:
    """Refuses text that PostgreSQL cannot compare with anything."""

    async def guarded(request: Message) -> Message:
        if faults := nul_faults(request):
            raise Refused(RefusalKind.INVALID, tuple(faults))
        return await query(request)

    return guarded


def _of_known_hospital(ledger: Ledger, query: Query) -> Query:
    """Refuses a hospital that is not in the registry, before a view or a cache of statements hears its name."""

    async def guarded(request: Any) -> Message:
        await ledger.require(request.hospital)
        return await query(request)

    return guarded


def partition_function(settings: Settings) -> Callable[[bytes, int], int]:
    """The partition of a stream id: Kafka's, or the only one that the PostgreSQL log has."""
    return partition_of if settings.stream == "kafka" else lambda _stream_id, _count: 0


def _boards(boards: BoardQueries) -> dict[str, Query]:
    async def board(request: boards_pb2.GetDepartmentBoardRequest) -> Message:
        faults = Faults()
        _check_enum(request.subjects, boards_pb2.BoardSubjects.values(), "subjects", faults)
        _check_enum(request.order, boards_pb2.BoardOrder.values(), "order", faults)
        faults.refuse_if_any()
        kept = (request.responsible, request.unanswered, request.responsible_id)
        asked = BoardAsked(request.subjects, request.order, *kept)
        page = (request.page_size, request.page_token, request.min_position)
        return await boards.department_board(request.hospital, request.department, *page, asked)

    async def departments(request: boards_pb2.ListDepartmentsRequest) -> Message:
        faults = Faults()
        _check_enum(request.order, boards_pb2.DepartmentOrder.values(), "order", faults)
        faults.refuse_if_any()
        page = (request.order, request.page_size, request.page_token)
        return await boards.departments(request.hospital, request.min_position, *page)

    async def patient_index(request: boards_pb2.GetPatientIndexRequest) -> Message:
        faults = Faults()
        patient_id = _patient(request, faults)
        asked = _episodes(request, faults)
        faults.refuse_if_any()
        whose = (request.hospital, patient_id, request.case_number, request.min_position)
        return await boards.patient_index(*whose, asked, request.page_size, request.page_token)

    return {
        "BoardService/GetDepartmentBoard": board,
        "BoardService/ListDepartments": departments,
        "BoardService/GetPatientIndex": patient_index,
    }


def _identities(queries: IdentityQueries) -> dict[str, Query]:
    async def identities(request: boards_pb2.ListPatientIdentitiesRequest) -> Message:
        return await queries.identities_page(*_one_patient(request))

    async def births(request: boards_pb2.ListPatientBirthsRequest) -> Message:
        return await queries.births_page(*_one_patient(request))

    return {"BoardService/ListPatientIdentities": identities, "BoardService/ListPatientBirths": births}


def _one_patient(
    request: boards_pb2.ListPatientIdentitiesRequest | boards_pb2.ListPatientBirthsRequest,
) -> tuple[str, UUID | None, str, tuple[int, str], int]:
    faults = Faults()
    patient_id = _patient(request, faults)
    faults.refuse_if_any()
    page = (request.page_size, request.page_token)
    return request.hospital, patient_id, request.case_number, page, request.min_position


def _patient(
    request: boards_pb2.GetPatientIndexRequest
    | boards_pb2.ListPatientIdentitiesRequest
    | boards_pb2.ListPatientBirthsRequest,
    faults: Faults,
) -> UUID | None:
    match request.WhichOneof("by"):
        case "patient_id":
            return _uuid(request.patient_id, "patient_id", faults)
        case "case_number":
            pass
        case None:
            faults.add("by", "REQUIRED", "a patient or a case number is required")
    return None


def _uuid(text: str, field: str, faults: Faults) -> UUID | None:
    malformed: list[Violation] = []
    found = parse_uuid(text, field, malformed)
    faults.note_all(malformed, RefusalKind.INVALID)
    return found


def _episodes(request: boards_pb2.GetPatientIndexRequest, faults: Faults) -> EpisodesAsked:
    for place, visit_type in enumerate(request.visit_types):
        _check_enum(visit_type, common_pb2.VisitType.values()[1:], f"visit_types[{place}]", faults)
    _check_enum(request.phase, common_pb2.Phase.values(), "phase", faults)
    _check_enum(request.order, boards_pb2.EpisodeOrder.values(), "order", faults)
    return EpisodesAsked(
        frozenset(request.visit_types),
        request.phase,
        _micros(request.care_from, "care_from", faults) if request.HasField("care_from") else None,
        _micros(request.care_before, "care_before", faults) if request.HasField("care_before") else None,
        request.order,
        _uuid(request.identity_id, "identity_id", faults) if request.identity_id else None,
    )


def _micros(time: Timestamp, field: str, faults: Faults) -> int:
    try:
        from_timestamp(time)
    except (OverflowError, ValueError):
        faults.add(field, "TIME_OUT_OF_RANGE", "years 1 to 9999, nanoseconds 0 to 999,999,999")
    # Not `unix_micros`, for which the first second of 1970 is no time.
    return time.seconds * 1_000_000 + time.nanos // 1_000


def _worklist(worklists: WorklistQueries) -> dict[str, Query]:
    async def worklist(request: worklist_pb2.GetWorklistRequest) -> Message:
        faults = Faults()
        asked = _whose(request, faults)
        _check_enum(request.kind, worklist_pb2.WorkKind.values(), "kind", faults)
        _check_enum(request.order, worklist_pb2.WorkOrder.values(), "order", faults)
        _check_day(request.on_date, "on_date", faults)
        faults.refuse_if_any()
        page = (request.page_size, request.page_token, request.min_position)
        return await worklists.worklist(request.hospital, asked, *page)

    return {"BoardService/GetWorklist": worklist}


def _whose(request: worklist_pb2.GetWorklistRequest, faults: Faults) -> WorkAsked:
    kept = (request.kind, request.on_date, request.order, request.responsible_id)
    match request.WhichOneof("of"):
        case "department" if request.department:
            return WorkAsked("department", request.department, *kept)
        case "person_id" if request.person_id:
            return WorkAsked("person", request.person_id, *kept)
        case "records_office" if request.records_office:
            pass
        case _:
            faults.add("of", "REQUIRED", "a department, a person or the records office is required")
    return WorkAsked("records_office", "", *kept)


def _usage(metering: UsageQueries) -> dict[str, Query]:
    async def usage(request: usage_pb2.GetUsageRequest) -> Message:
        faults = Faults()
        _check_day(request.first_day, "first_day", faults)
        _check_day(request.last_day, "last_day", faults)
        faults.refuse_if_any()
        page = (request.page_size, request.page_token, request.min_position)
        return await metering.usage(request.hospital, request.first_day, request.last_day, *page)

    return {"UsageService/GetUsage": usage}


def _check_day(text: str, field: str, faults: Faults) -> None:
    # Days are compared as text: only the long form will do.
    day = iso_date(text)
    if text and (day is None or day.isoformat() != text):
        faults.add(field, "MALFORMED_DATE", "an ISO 8601 date, or nothing")


def _check_enum(value: int, known: Container[int], field: str, faults: Faults) -> None:
    if value not in known:
        faults.add(field, "UNKNOWN_VALUE", "a value of the contract is required, or none for all")


def _archive(archive: ArchiveQueries) -> dict[str, Query]:
    async def register(request: boards_pb2.ListArchiveRegisterRequest) -> Message:
        faults = Faults()
        _check_enum(request.phase, common_pb2.Phase.values(), "phase", faults)
        _check_enum(request.order, boards_pb2.RegisterOrder.values(), "order", faults)
        _check_enum(request.sample, boards_pb2.SampleStanding.values(), "sample", faults)
        _check_day(request.retention_before, "retention_before", faults)
        faults.refuse_if_any()
        kept = (request.phase, request.held, request.lent, request.retention_before, request.order)
        asked = RegisterFilter(*kept, request.sealed, request.quality_passed, request.department, request.sample)
        page = (request.page_size, request.page_token, request.min_position)
        return await archive.archive_register(request.hospital, asked, *page)

    return {"ArchiveService/ListArchiveRegister": register}


def _transfers(transfers: TransferQueries) -> dict[str, Query]:
    async def list_transfers(request: transfers_pb2.ListTransfersRequest) -> Message:
        page = (request.page_size, request.page_token, request.min_position)
        return await transfers.transfers(
            request.hospital, *page, outdated=request.outdated, since_fork=request.since_fork
        )

    return {"TransferService/ListTransfers": list_transfers}


def _operations(operations: ViewOperations) -> dict[str, Query]:
    async def dead_letters(request: stream_pb2.ListDeadLettersRequest) -> Message:
        page = (request.page_size, request.page_token)
        return await operations.list_dead_letters(
            request.hospital, request.view, *page, decided=request.include_decided
        )

    async def retry(request: stream_pb2.RetryDeadLetterRequest) -> Message:
        return await operations.retry(request.hospital, request.view, request.position, request.reason)

    async def skip(request: stream_pb2.SkipDeadLetterRequest) -> Message:
        return await operations.skip(request.hospital, request.view, request.position, request.reason)

    return {
        "OperationsService/ListDeadLetters": dead_letters,
        "OperationsService/RetryDeadLetter": retry,
        "OperationsService/SkipDeadLetter": skip,
    }
