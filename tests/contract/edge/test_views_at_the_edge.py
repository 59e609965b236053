"""Queries of views: the edge hands the request over and knows what may come back."""

from typing import Any

import pytest

from ledger.api.v1.boards_pb2 import GetDepartmentBoardRequest, GetDepartmentBoardResponse
from ledger.api.v1.stream_pb2 import GetStatusRequest
from ledger.views.errors import PositionAboveHead, RecordStopped, WaitTimedOut
from tests.contract.edge.clients import ConnectClient, GrpcClient, RpcFailed
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import open_record

_RPC = "ledger.api.v1.BoardService/GetDepartmentBoard"


@pytest.mark.parametrize(
    ("error", "code", "reason", "fact"),
    [
        (PositionAboveHead("north", 9), "OUT_OF_RANGE", "POSITION_OUT_OF_RANGE", ("position", "9")),
        (WaitTimedOut("department_board", 9, 4), "DEADLINE_EXCEEDED", "VIEW_BEHIND", ("reached", "4")),
        (RecordStopped("department_board", "x", 9), "FAILED_PRECONDITION", "RECORD_STOPPED", ("position", "9")),
    ],
    ids=lambda each: type(each).__name__,
)
@pytest.mark.parametrize("protocol", [GrpcClient, ConnectClient])
async def test_a_view_s_error_has_its_code(
    idle_edge: RunningEdge, protocol: Any, error: Exception, code: str, reason: str, fact: tuple[str, str]
) -> None:
    """A view asked for a position that does not exist, that it does not reach, or behind a poisoned event."""

    async def query(_: GetDepartmentBoardRequest) -> GetDepartmentBoardResponse:
        raise error

    idle_edge.queries[_RPC] = query
    await idle_edge.start()
    at = idle_edge.addresses
    client: GrpcClient | ConnectClient = protocol(at.grpc if protocol is GrpcClient else at.http)
    with pytest.raises(RpcFailed) as failure:
        await client.call("BoardService/GetDepartmentBoard", GetDepartmentBoardRequest(hospital="north"))
    await client.close()
    assert (failure.value.code, failure.value.reason) == (code, reason)
    assert failure.value.facts[fact[0]] == fact[1]


async def test_a_registered_query_answers(idle_edge: RunningEdge) -> None:
    """What the composition root hands in is served under its method's name."""

    async def query(request: GetDepartmentBoardRequest) -> GetDepartmentBoardResponse:
        return GetDepartmentBoardResponse(next_page_token=request.department)

    idle_edge.queries[_RPC] = query
    await idle_edge.start()
    client = GrpcClient(idle_edge.addresses.grpc)
    answer = await client.call("BoardService/GetDepartmentBoard", GetDepartmentBoardRequest(department="MED"))
    assert answer.next_page_token == "MED"
    await client.close()


async def test_status_says_head_and_load_without_any_view(edge: RunningEdge) -> None:
    """A server without views still tells what it knows by itself."""
    client = GrpcClient(edge.addresses.grpc)
    await open_record(client)
    status = await client.call("OperationsService/GetStatus", GetStatusRequest())
    assert [(each.hospital, each.head) for each in status.hospitals] == [
        ("north", 6),
        ("south", 0),
    ]  # the rules before the first record are three
    assert status.hospitals[0].group_size >= 1
    await client.close()
