"""What those who run the service rely on: health, reflection, metrics, limits, traces, a clean stop."""

import asyncio
import json
from dataclasses import replace
from typing import Any, cast

import grpc.aio
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from prometheus_client import CollectorRegistry

from ledger.api.v1.boards_pb2 import GetDepartmentBoardRequest, GetDepartmentBoardResponse
from ledger.api.v1.records_pb2 import GetRecordRequest
from ledger.api.v1.stream_pb2 import ReadHospitalRequest
from ledger.server.errors import NotLoopback
from ledger.server.limits import Limits
from ledger.server.method import services
from tests.contract.edge.clients import GrpcClient, RpcFailed, connect_failure
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import open_record, register_patient
from tests.eventually import SECONDS_MAX, eventually_async

_BOARD = "ledger.api.v1.BoardService/GetDepartmentBoard"
_TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_health_and_reflection_name_every_service(edge: RunningEdge) -> None:
    """grpcurl and buf curl need no proto files, and a load balancer asks for each service."""
    async with grpc.aio.insecure_channel(edge.addresses.grpc) as channel:
        health: Any = health_pb2_grpc.HealthStub(cast("Any", channel))
        for service in ["", *(each.full_name for each in services())]:
            answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        reflection: Any = reflection_pb2_grpc.ServerReflectionStub(cast("Any", channel))
        asked = [reflection_pb2.ServerReflectionRequest(list_services="")]
        (listed,) = [each async for each in reflection.ServerReflectionInfo(iter(asked))]
        names: set[str] = {each.name for each in listed.list_services_response.service}
        assert {each.full_name for each in services()} < names


async def test_http_pages(edge: RunningEdge) -> None:
    """Health, readiness and metrics, with the head of every hospital and the calls by code."""
    client = GrpcClient(edge.addresses.grpc)
    await open_record(client)
    async with httpx.AsyncClient(base_url=edge.addresses.http, trust_env=False, timeout=60) as http:
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.get("/readyz")).status_code == 200
        text = (await http.get("/metrics")).text
    assert 'ledger_head_position{hospital="north"} 6.0' in text
    assert 'ledger_calls_total{code="OK",rpc="ledger.api.v1.RecordService/StartCare"} 1.0' in text
    await client.close()


async def test_readiness_says_whose_destructions_are_not_followed(edge: RunningEdge) -> None:
    """It still answers 200: care is served, and who watches reads which hospital waits."""
    edge.unfollowed.append("south")
    async with httpx.AsyncClient(base_url=edge.addresses.http, trust_env=False, timeout=60) as http:
        answer = await http.get("/readyz")
    assert (answer.status_code, answer.text) == (200, "ready\ndestructions are not followed: south\n")


async def test_http_refuses_what_it_does_not_speak(edge: RunningEdge) -> None:
    """No call by GET, no gRPC on the HTTP listener, no unknown path, no word of another origin's page."""
    path = "/ledger.api.v1.RecordService/GetRecord"
    async with httpx.AsyncClient(base_url=edge.addresses.http, trust_env=False, timeout=60) as http:
        assert (await http.get(path)).status_code == 405
        grpc_call = await http.post(path, content=b"", headers={"content-type": "application/grpc"})
        assert grpc_call.status_code == 415
        assert (await http.post("/nowhere", json={})).status_code == 404
        assert (await http.post(path, content="{}", headers={"content-type": "text/plain"})).status_code == 415
        preflight = await http.options(path, headers={"origin": "http://evil.example"})
        assert "access-control-allow-origin" not in preflight.headers


@pytest.mark.parametrize(
    "body", ['{"hospital": "north", "patient": "Jane Example"}', '{"hospital": 7, "name": "Jane Example', "7"]
)
async def test_a_body_that_is_no_request_is_not_quoted(edge: RunningEdge, body: str) -> None:
    """An unknown JSON field is refused, not passed over; and the error repeats nothing of the body."""
    async with httpx.AsyncClient(base_url=edge.addresses.http, trust_env=False, timeout=60) as http:
        headers = {"content-type": "application/json"}
        answer = await http.post("/ledger.api.v1.RecordService/GetRecord", content=body, headers=headers)
    assert answer.status_code == 400
    assert "Jane" not in answer.text
    (detail,) = answer.json()["details"]
    assert detail["debug"]["reason"] == "MALFORMED_REQUEST"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7080", "127.0.0.1.evil.example", "10.0.0.1", "", "["])
async def test_a_page_of_another_origin_gets_no_answer(edge: RunningEdge, host: str) -> None:
    """Also where its name was pointed at this machine: no call, no metrics, no word but a typed refusal."""
    async with httpx.AsyncClient(base_url=edge.addresses.http, trust_env=False, timeout=60) as http:
        for path in ("/ledger.api.v1.HospitalService/ListHospitals", "/metrics", "/readyz"):
            headers = {"content-type": "application/json", "host": host}
            method = "POST" if "Service" in path else "GET"
            answer = await http.request(method, path, content="{}" if method == "POST" else None, headers=headers)
            assert answer.status_code == 403
            error = connect_failure(answer.json())
            assert (error.code, error.reason) == ("PERMISSION_DENIED", "FOREIGN_HOST")


@pytest.mark.parametrize("host", ["localhost", "localhost:99", "LOCALHOST.", "127.0.0.1", "127.8.8.8:1", "[::1]:7080"])
async def test_this_machine_s_own_names_are_answered(edge: RunningEdge, host: str) -> None:
    """Whatever port the client believes in: a tunnel has its own."""
    async with httpx.AsyncClient(base_url=edge.addresses.http, trust_env=False, timeout=60) as http:
        assert (await http.get("/readyz", headers={"host": host})).status_code == 200


async def test_an_error_is_readable_json(edge: RunningEdge) -> None:
    """A person with curl sees the reason."""
    async with httpx.AsyncClient(base_url=edge.addresses.http, trust_env=False, timeout=60) as http:
        headers = {"content-type": "application/json"}
        answer = await http.post("/ledger.api.v1.RecordService/GetRecord", content="{}", headers=headers)
    assert answer.json()["code"] == "invalid_argument"
    shown = json.dumps(answer.json())
    assert '"reason": "VALIDATION_FAILED"' in shown
    assert '"field": "record_id"' in shown


async def test_calls_above_the_limit_are_turned_away(idle_edge: RunningEdge) -> None:
    """A full server answers at once, and takes calls again when one has ended."""
    started, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: GetDepartmentBoardRequest) -> GetDepartmentBoardResponse:
        started.set()
        await go_on.wait()
        return GetDepartmentBoardResponse()

    idle_edge.queries[_BOARD] = slow
    await idle_edge.start(replace(Limits(), calls_in_flight_max=1, drain_seconds_max=1.0))
    client = GrpcClient(idle_edge.addresses.grpc)
    first = asyncio.create_task(client.call("BoardService/GetDepartmentBoard", GetDepartmentBoardRequest()))
    await started.wait()
    with pytest.raises(RpcFailed) as failure:
        await client.call("PatientService/RegisterPatient", register_patient())
    assert (failure.value.code, failure.value.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_CALLS")
    go_on.set()
    await first
    await client.call("PatientService/RegisterPatient", register_patient())
    await client.close()


@pytest.mark.parametrize("protocol", ["grpc", "connect"])
async def test_a_deadline_ends_the_handler(idle_edge: RunningEdge, protocol: str) -> None:
    """Nobody works on for a client that has given up waiting."""
    ended = asyncio.Event()

    async def slow(_: GetDepartmentBoardRequest) -> GetDepartmentBoardResponse:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError("unreachable")

    idle_edge.queries[_BOARD] = slow
    await idle_edge.start()
    if protocol == "grpc":
        async with grpc.aio.insecure_channel(idle_edge.addresses.grpc) as channel:
            await channel.channel_ready()  # a call whose time is over before it is sent reaches no handler
            with pytest.raises(grpc.aio.AioRpcError):
                await channel.unary_unary(f"/{_BOARD}")(b"", timeout=1.0)
    else:
        headers = {"content-type": "application/json", "connect-timeout-ms": "200"}
        async with httpx.AsyncClient(base_url=idle_edge.addresses.http, trust_env=False, timeout=60) as http:
            answer = await http.post(f"/{_BOARD}", content="{}", headers=headers)
        assert answer.json()["code"] == "deadline_exceeded"
    await asyncio.wait_for(ended.wait(), SECONDS_MAX)


@pytest.mark.parametrize(("sent", "stored"), [(_TRACEPARENT, _TRACEPARENT), ("Jane Example, born 1950", None)])
async def test_a_trace_rides_beside_the_event(edge: RunningEdge, sent: str, stored: str | None) -> None:
    """The caller's traceparent is kept with the event; what is no traceparent is not."""
    request = register_patient()
    async with grpc.aio.insecure_channel(edge.addresses.grpc) as channel:
        call = cast("Any", channel).unary_unary("/ledger.api.v1.PatientService/RegisterPatient")
        await call(request.SerializeToString(), metadata=(("traceparent", sent),))
    (row,) = await edge.ledger.read_positions("north", 0, 10)
    assert row.traceparent == stored


async def test_idle_followers_share_one_look_at_the_head(edge: RunningEdge) -> None:
    """A hundred followers of an idle hospital keep one watch, and it ends with the last of them."""
    client = GrpcClient(edge.addresses.grpc)
    await open_record(client)
    request = ReadHospitalRequest(hospital="north", after_position=6, follow=True)
    streams = [client.stream("StreamService/ReadHospital", request) for _ in range(100)]
    for stream in streams:
        await anext(stream)
    assert _streams(edge) == 100
    await client.call("PatientService/RegisterPatient", register_patient())
    for stream in streams:
        assert [event.position for event in (await anext(stream)).events] == [7]
    for stream in streams:
        await stream.aclose()
    await eventually_async(lambda: _no_stream(edge), what="every handler ends")
    await client.close()


@pytest.mark.parametrize("name", ["grpc_listen", "http_listen"])
async def test_a_listener_that_others_could_reach_is_refused(idle_edge: RunningEdge, name: str) -> None:
    """Until callers are authenticated: loopback only, whoever made the settings."""
    idle_edge.settings = replace(idle_edge.settings, **{name: "0.0.0.0:0"})
    with pytest.raises(NotLoopback):
        await idle_edge.start()


@pytest.mark.parametrize("name", ["grpc_listen", "http_listen"])
async def test_a_port_that_is_taken_is_not_shared(edge: RunningEdge, name: str) -> None:
    """Two servers on one port would each get a part of the calls; the second one does not start."""
    taken = edge.addresses.grpc if name == "grpc_listen" else edge.addresses.http.removeprefix("http://")
    second = RunningEdge(edge.ledger, replace(edge.settings, **{name: taken}), CollectorRegistry())
    with pytest.raises((OSError, RuntimeError)):
        await second.start()


async def test_a_stop_lets_running_calls_end(idle_edge: RunningEdge) -> None:
    """A call under way gets its answer; then both listeners are gone."""
    started, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: GetDepartmentBoardRequest) -> GetDepartmentBoardResponse:
        started.set()
        await go_on.wait()
        return GetDepartmentBoardResponse(next_page_token="done")

    idle_edge.queries[_BOARD] = slow
    await idle_edge.start(replace(Limits(), drain_seconds_max=5.0))
    client = GrpcClient(idle_edge.addresses.grpc)
    running = asyncio.create_task(client.call("BoardService/GetDepartmentBoard", GetDepartmentBoardRequest()))
    await started.wait()
    stopping = asyncio.create_task(idle_edge.stop())
    go_on.set()
    assert (await running).next_page_token == "done"
    await stopping
    with pytest.raises(RpcFailed):
        await client.call("RecordService/GetRecord", GetRecordRequest(hospital="north"))
    await client.close()


def _streams(edge: RunningEdge) -> float:
    return edge.registry.get_sample_value("ledger_calls_in_flight", {"shape": "stream"}) or 0.0


async def _no_stream(edge: RunningEdge) -> bool:
    return _streams(edge) == 0
