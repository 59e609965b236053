"""Views over the wire, with the real queries and the real runner behind them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from google.protobuf.message import Message

from ledger.api.v1 import boards_pb2 as boards
from ledger.api.v1 import purges_pb2 as purges
from ledger.api.v1 import records_pb2 as records
from ledger.api.v1 import stream_pb2 as stream
from ledger.api.v1 import transfers_pb2 as transfers
from ledger.api.v1 import usage_pb2 as usage
from ledger.api.v1 import worklist_pb2 as worklist
from ledger.api.v1.stream_pb2 import ReportReaderRequest
from ledger.server.method import Method, Shape, methods
from ledger.views.queries import BoardAsked
from projections.page_token import write_token
from projections.tables import freshness_statements, shared_statements
from tests.contract.edge.clients import EdgeClient, RpcFailed
from tests.contract.edge.composition import composed, projecting
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import open_record, register_patient, register_record
from tests.eventually import SECONDS_MAX, eventually_async
from tests.services.postgres import Database

_PREFIX = "ledger.api.v1."
_WITHOUT_HOSPITAL = {
    "HospitalService/AddHospital",
    "HospitalService/ListHospitals",
    "KeyService/Unseal",
    "RecordService/BulkLoad",
}
_BY_HOSPITAL = [each for each in methods() if each.rpc.removeprefix(_PREFIX) not in _WITHOUT_HOSPITAL]
_READS = [each for each in methods() if not each.is_command and each.shape is not Shape.CLIENT_STREAM]
_BOARD = f"board of {BoardAsked()} MED"
_OURS = {"INTERNAL", "UNKNOWN", "DATA_LOSS"}


@pytest.fixture
async def edge(idle_edge: RunningEdge, request: pytest.FixtureRequest) -> AsyncIterator[RunningEdge]:
    """A running edge with every view's queries, which wait as long for a position as a test says."""
    async with composed(idle_edge, getattr(request, "param", SECONDS_MAX)) as running:
        yield running


async def _failure(client: EdgeClient, method: Method, request: Message) -> RpcFailed | None:
    """What a call failed with; None where it was answered."""
    rpc = method.rpc.removeprefix(_PREFIX)
    try:
        if method.shape is Shape.SERVER_STREAM:
            await anext(client.stream(rpc, request))
        else:
            await client.call(rpc, request)
    except RpcFailed as failed:
        return failed
    return None


def _filled(method: Method, hospital: str) -> Any:
    """A request of a method whose own arguments are well formed."""
    request: Any = method.request()
    for field in method.request.DESCRIPTOR.fields:
        if field.name.endswith("_id"):
            setattr(request, field.name, str(uuid4()))
    if method.request is purges.AcknowledgePurgeRequest:
        request.kind, request.item, request.actor.id = purges.HOLDER_KIND_ARCHIVE, "office", str(uuid4())
    for name, value in (("view", "department_board"), ("reason", "a test"), ("position", 1), ("case_number", "C1")):
        if name in method.request.DESCRIPTOR.fields_by_name:
            setattr(request, name, value)
    if method.request is ReportReaderRequest:
        request.status.reader, request.status.state = "transfers", "running"
    if method.is_command:
        request.context.hospital = hospital
        request.context.command_id = str(uuid4())
    elif "hospital" in method.request.DESCRIPTOR.fields_by_name:
        request.hospital = hospital
    return request


_FOR_READERS = frozenset({"GetInclusionProof", "GetTlogProof", "GetProofPack"})


async def test_every_method_refuses_a_hospital_that_is_not_there(client: EdgeClient) -> None:
    """Commands, reads, streams and view queries alike, with and without a position; no cache keeps the name.

    What only a log's readers are given is nobody's without a token, whatever hospital is named.
    """
    kept = shared_statements.cache_info().currsize + freshness_statements.cache_info().currsize
    for method in _BY_HOSPITAL:
        request = _filled(method, "nowhere")
        failure = await _failure(client, method, request)
        assert failure is not None, method.rpc
        for_readers = method.rpc.rpartition("/")[2] in _FOR_READERS
        expected = ("UNAUTHENTICATED", "READER_UNKNOWN") if for_readers else ("NOT_FOUND", "UNKNOWN_HOSPITAL")
        assert (failure.code, failure.reason) == expected, method.rpc
        if "min_position" in method.request.DESCRIPTOR.fields_by_name:
            request.min_position = 1
            failure = await _failure(client, method, request)
            assert failure is not None
            assert failure.reason == "UNKNOWN_HOSPITAL", method.rpc
    assert shared_statements.cache_info().currsize + freshness_statements.cache_info().currsize == kept


async def test_no_argument_of_a_read_makes_a_fault_of_ours(client: EdgeClient, edge: RunningEdge) -> None:
    """The largest number, U+0000 and a page token made up: each field in turn is answered or refused in types."""
    ward = await open_record(client)
    async with projecting(edge.settings):
        await client.call(
            "BoardService/ListDepartments", boards.ListDepartmentsRequest(hospital="north", min_position=6)
        )
    wrong: list[str] = []
    for method in _READS:
        for name, request in _strange(method, ward.record_id):
            failure = await _failure(client, method, request)
            if failure and (failure.code in _OURS or len(failure.infos) != 1):
                wrong.append(f"{method.rpc} {name}: {failure.code}")
    assert wrong == []


def _strange(method: Method, record_id: str) -> Iterator[tuple[str, Message]]:
    """Requests that are well formed but for one field."""
    for field in method.request.DESCRIPTOR.fields:
        for value in _extremes(field.cpp_type, field.CPPTYPE_STRING):
            request = _filled(method, "north")
            if "record_id" in method.request.DESCRIPTOR.fields_by_name:
                request.record_id = record_id
            # Not every value is one of the field's type.
            with suppress(TypeError, ValueError, AttributeError, OverflowError):
                setattr(request, field.name, value)
                yield f"{field.name}={value!r:.20}", request


def _extremes(cpp_type: int, string: int) -> list[Any]:
    return ["\0", "x" * 2000, "AWF-_w"] if cpp_type == string else [2**64 - 1, 2**31 - 1, -1]


@pytest.mark.parametrize("view", ["horoscope", "department_board; drop"])
async def test_a_view_that_there_is_not(client: EdgeClient, view: str) -> None:
    """An empty list would say that all is well with it."""
    request = stream.ListDeadLettersRequest(hospital="north", view=view)
    with pytest.raises(RpcFailed) as failure:
        await client.call("OperationsService/ListDeadLetters", request)
    assert (failure.value.code, failure.value.reason) == ("NOT_FOUND", "VIEW_ABSENT")


@pytest.mark.parametrize(
    ("rpc", "asked", "code", "reason"),
    [
        ("GetPatientIndex", boards.GetPatientIndexRequest(hospital="north"), "INVALID_ARGUMENT", "VALIDATION_FAILED"),
        (
            "GetPatientIndex",
            boards.GetPatientIndexRequest(hospital="north", case_number="nobody"),
            "NOT_FOUND",
            "UNKNOWN_PATIENT",
        ),
        (
            "GetPatientIndex",
            boards.GetPatientIndexRequest(hospital="north", patient_id=str(uuid4())),
            "NOT_FOUND",
            "UNKNOWN_PATIENT",
        ),
        (
            "GetDepartmentBoard",
            boards.GetDepartmentBoardRequest(
                hospital="north", department="MED", page_token="." + write_token(_BOARD, 0, "not a UUID")
            ),
            "INVALID_ARGUMENT",
            "FOREIGN_PAGE_TOKEN",
        ),
        (
            "GetDepartmentBoard",
            boards.GetDepartmentBoardRequest(
                hospital="north", department="MED", page_token=write_token(_BOARD, 0, uuid4())
            ),
            "INVALID_ARGUMENT",
            "FOREIGN_PAGE_TOKEN",
        ),
        (
            "ListArchiveRegister",
            boards.ListArchiveRegisterRequest(hospital="north", phase=99),  # pyright: ignore[reportArgumentType]
            "INVALID_ARGUMENT",
            "VALIDATION_FAILED",
        ),
        (
            "ListArchiveRegister",
            boards.ListArchiveRegisterRequest(hospital="north", retention_before="20540101"),
            "INVALID_ARGUMENT",
            "VALIDATION_FAILED",
        ),
        ("GetWorklist", worklist.GetWorklistRequest(hospital="north"), "INVALID_ARGUMENT", "VALIDATION_FAILED"),
        (
            "GetWorklist",
            worklist.GetWorklistRequest(hospital="north", records_office=True, on_date="tomorrow"),
            "INVALID_ARGUMENT",
            "VALIDATION_FAILED",
        ),
    ],
)
async def test_a_view_query_that_asks_for_what_there_is_not(
    client: EdgeClient, edge: RunningEdge, rpc: str, asked: Message, code: str, reason: str
) -> None:
    """Refused by its name instead of answered with nothing."""
    patient = await client.call("PatientService/RegisterPatient", register_patient())
    async with projecting(edge.settings):
        wait = boards.ListDepartmentsRequest(hospital="north", min_position=patient.receipt.position)
        await client.call("BoardService/ListDepartments", wait)
        seen = boards.GetPatientIndexRequest(hospital="north", min_position=1, patient_id=patient.receipt.record_id)
        assert (await client.call("BoardService/GetPatientIndex", seen)).case_number
        page = boards.ListArchiveRegisterRequest(hospital="north", min_position=1)
        await client.call("ArchiveService/ListArchiveRegister", page)
    service = "ArchiveService" if rpc == "ListArchiveRegister" else "BoardService"
    with pytest.raises(RpcFailed) as failure:
        await client.call(f"{service}/{rpc}", asked)
    assert (failure.value.code, failure.value.reason) == (code, reason)


async def test_every_list_has_one_rule_for_its_page_size(client: EdgeClient, edge: RunningEdge) -> None:
    """0 and more is served, above 1,000 as 1,000; less is refused with one reason, whichever side answers."""
    ward = await open_record(client)
    async with projecting(edge.settings):
        for view in ("department_board", "archive_register", "transfer_packages", "worklist", "usage"):
            await _handled(client, view)
        seen = boards.GetPatientIndexRequest(hospital="north", patient_id=ward.patient_id, min_position=1)
        await client.call("BoardService/GetPatientIndex", seen)
    lists: list[tuple[str, Any]] = [
        ("RecordService/ListRecords", records.ListRecordsRequest(hospital="north")),
        ("HospitalService/ListHospitals", stream.ListHospitalsRequest()),
        ("BoardService/GetDepartmentBoard", boards.GetDepartmentBoardRequest(hospital="north", department="MED")),
        ("BoardService/ListDepartments", boards.ListDepartmentsRequest(hospital="north")),
        (
            "BoardService/GetPatientIndex",
            boards.GetPatientIndexRequest(hospital="north", patient_id=ward.patient_id),
        ),
        (
            "BoardService/ListPatientIdentities",
            boards.ListPatientIdentitiesRequest(hospital="north", patient_id=ward.patient_id),
        ),
        (
            "BoardService/ListPatientBirths",
            boards.ListPatientBirthsRequest(hospital="north", patient_id=ward.patient_id),
        ),
        ("RecordService/FindRecords", records.FindRecordsRequest(hospital="north", case_number="C1")),
        ("ArchiveService/ListArchiveRegister", boards.ListArchiveRegisterRequest(hospital="north")),
        ("BoardService/GetWorklist", worklist.GetWorklistRequest(hospital="north", records_office=True)),
        ("UsageService/GetUsage", usage.GetUsageRequest(hospital="north")),
        ("TransferService/ListTransfers", transfers.ListTransfersRequest(hospital="north")),
        ("OperationsService/ListDeadLetters", stream.ListDeadLettersRequest(hospital="north")),
        ("PurgeService/ListPurges", purges.ListPurgesRequest(hospital="north")),
    ]
    assert {rpc for rpc, _ in lists} == {
        each.rpc.removeprefix(_PREFIX) for each in methods() if "page_size" in each.request.DESCRIPTOR.fields_by_name
    }
    for rpc, request in lists:
        request.page_size = 5000
        await client.call(rpc, request)
        request.page_size = -1
        with pytest.raises(RpcFailed) as failure:
            await client.call(rpc, request)
        assert (failure.value.code, failure.value.reason) == ("INVALID_ARGUMENT", "BAD_PAGE_SIZE"), rpc


async def _handled(client: EdgeClient, view: str) -> None:
    asked: dict[str, tuple[str, Any]] = {
        "department_board": ("BoardService/ListDepartments", boards.ListDepartmentsRequest),
        "archive_register": ("ArchiveService/ListArchiveRegister", boards.ListArchiveRegisterRequest),
        "transfer_packages": ("TransferService/ListTransfers", transfers.ListTransfersRequest),
        "worklist": ("BoardService/GetWorklist", partial(worklist.GetWorklistRequest, records_office=True)),
        "usage": ("UsageService/GetUsage", usage.GetUsageRequest),
    }
    rpc, request = asked[view]
    await client.call(rpc, request(hospital="north", min_position=6))


async def test_a_position_that_does_not_exist_yet(client: EdgeClient, edge: RunningEdge) -> None:
    """Out of range at once: who waits for it waits for an event that nobody has acknowledged."""
    await open_record(client)
    request = boards.GetDepartmentBoardRequest(hospital="north", department="MED", min_position=7)
    async with projecting(edge.settings), asyncio.timeout(SECONDS_MAX / 2):
        with pytest.raises(RpcFailed) as failure:
            await client.call("BoardService/GetDepartmentBoard", request)
    assert (failure.value.code, failure.value.reason) == ("OUT_OF_RANGE", "POSITION_OUT_OF_RANGE")
    assert failure.value.facts == {"hospital": "north", "position": "7"}


@pytest.mark.parametrize("edge", [0.5], indirect=True)
async def test_a_view_that_stands_still_is_behind(client: EdgeClient, edge: RunningEdge) -> None:
    """Once its wait is over the caller learns how far it is, and may ask again."""
    await open_record(client)
    request = boards.GetDepartmentBoardRequest(hospital="north", department="MED", min_position=6)

    async def shown() -> bool:
        try:
            return len((await client.call("BoardService/GetDepartmentBoard", request)).rows) == 1
        except RpcFailed as failed:
            if failed.reason != "VIEW_BEHIND":
                raise
            return False

    async with projecting(edge.settings):
        await eventually_async(shown, what="the board")
    await client.call("PatientService/RegisterPatient", register_patient())
    request.min_position = 7
    with pytest.raises(RpcFailed) as failure:
        await client.call("BoardService/GetDepartmentBoard", request)
    assert (failure.value.code, failure.value.reason) == ("DEADLINE_EXCEEDED", "VIEW_BEHIND")
    assert failure.value.facts["reached"] == "6"


async def test_a_record_that_poison_stopped(client: EdgeClient, edge: RunningEdge, database: Database) -> None:
    """Its own readers are told; a person retries the dead letter over the wire, and it goes on."""
    first = await open_record(client)
    board = boards.GetDepartmentBoardRequest(hospital="north", department="MED", min_position=6)
    async with projecting(edge.settings):
        await client.call("BoardService/GetDepartmentBoard", board)
        table = "v_north.department_board_g1_records"
        _execute(database, f"ALTER TABLE {table} ADD CONSTRAINT no CHECK (record_id = '{first.record_id}')")
        patient = await client.call("PatientService/RegisterPatient", register_patient())
        await client.call("RecordService/RegisterRecord", register_record(patient.receipt.record_id))
        board.min_position = 8
        with pytest.raises(RpcFailed) as failure:
            await client.call("BoardService/GetDepartmentBoard", board)
        assert (failure.value.code, failure.value.reason) == ("FAILED_PRECONDITION", "RECORD_STOPPED")
        _execute(database, f"ALTER TABLE {table} DROP CONSTRAINT no")
        retry = stream.RetryDeadLetterRequest(hospital="north", view="department_board", position=8, reason="repaired")
        assert (await client.call("OperationsService/RetryDeadLetter", retry)).handled
        assert len((await client.call("BoardService/GetDepartmentBoard", board)).rows) == 2


def _execute(database: Database, statement: str) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(statement.encode())
