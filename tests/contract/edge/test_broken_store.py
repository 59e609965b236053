"""A store that goes away, and clients that give up: typed answers, and nothing half done."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

import grpc.aio
import httpx
import pytest
from prometheus_client import CollectorRegistry

from ledger.api.v1.records_pb2 import BulkLoadRequest
from ledger.application.errors import UnknownCommand
from ledger.config import Settings
from tests.contract.edge.clients import ConnectClient, GrpcClient, RpcFailed
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import open_record, record_entry, register_patient
from tests.eventually import eventually_async
from tests.services.postgres import Database
from tests.services.proxy import TcpProxy
from tests.services.sealed import open_ledger


@pytest.fixture
async def proxied(
    database: Database, settings: Settings, edge: RunningEdge, tcp_proxy: Callable[[int], TcpProxy]
) -> AsyncIterator[tuple[RunningEdge, TcpProxy]]:
    """A second server process's worth of edge, whose way to PostgreSQL can be cut."""
    assert edge.addresses.grpc, "it has added the hospitals"
    port = database.server.port
    proxy = tcp_proxy(port)
    behind = replace(settings, postgres_append_url=settings.postgres_append_url.replace(f":{port}/", f":{proxy.port}/"))
    ledger = await open_ledger(behind)
    running = RunningEdge(ledger, behind, CollectorRegistry())
    await running.start()
    yield running, proxy
    await running.stop()
    await ledger.close()


async def test_a_store_that_cannot_be_reached(proxied: tuple[RunningEdge, TcpProxy]) -> None:
    """UNAVAILABLE on both protocols, not ready, metrics still there; and everything again once it is back."""
    running, proxy = proxied
    grpc_client, connect_client = GrpcClient(running.addresses.grpc), ConnectClient(running.addresses.http)
    await grpc_client.call("PatientService/RegisterPatient", register_patient())
    proxy.stop()
    request = register_patient()
    for client in (grpc_client, connect_client):
        with pytest.raises(RpcFailed) as failure:
            await client.call("PatientService/RegisterPatient", request)
        assert (failure.value.code, failure.value.reason) == ("UNAVAILABLE", "STORE_UNAVAILABLE")
    async with httpx.AsyncClient(base_url=running.addresses.http, trust_env=False, timeout=30) as http:
        assert (await http.get("/readyz")).status_code == 503
        assert "ledger_store_answers 0.0" in (await http.get("/metrics")).text
        proxy.resume()
        answer = await grpc_client.call("PatientService/RegisterPatient", request)
        assert (answer.receipt.position, answer.receipt.repeated) == (2, False)
        assert (await http.get("/readyz")).status_code == 200
    await grpc_client.close()
    await connect_client.close()


async def test_commands_whose_clients_gave_up_are_done_once_or_not_at_all(edge: RunningEdge) -> None:
    """A deadline or a cancellation in the middle leaves no lane shut, no gap and no second event."""
    client = GrpcClient(edge.addresses.grpc)
    ward = await open_record(client)
    requests = [record_entry(ward.record_id, f"note {index}") for index in range(40)]
    async with grpc.aio.insecure_channel(edge.addresses.grpc) as channel:
        method: Any = cast("Any", channel).unary_unary("/ledger.api.v1.RecordService/RecordEntry")
        calls = [method(each.SerializeToString(), timeout=0.004 * index) for index, each in enumerate(requests)]
        await asyncio.gather(*calls, return_exceptions=True)
    answers = [await client.call("RecordService/RecordEntry", each) for each in requests]
    assert sorted(each.receipt.record_version for each in answers) == list(range(3, 43))
    assert await edge.ledger.head("north") == 46
    await client.close()


async def test_a_client_that_goes_away_in_a_bulk_load(edge: RunningEdge) -> None:
    """What was under way is done or not; nothing runs on, and the same stream again completes it."""
    client = GrpcClient(edge.addresses.grpc)
    ward = await open_record(client)
    entries = [record_entry(ward.record_id, f"note {index}") for index in range(50)]
    async with grpc.aio.insecure_channel(edge.addresses.grpc) as channel:
        call: Any = cast("Any", channel).stream_unary("/ledger.api.v1.RecordService/BulkLoad")()
        for each in entries:
            await call.write(BulkLoadRequest(record_entry=each).SerializeToString())
        await eventually_async(lambda: _above(edge, 13), what="a part of the load is there")
        call.cancel()
    await eventually_async(lambda: _no_stream(edge), what="the handler ends")
    answer = await client.send("RecordService/BulkLoad", [BulkLoadRequest(record_entry=each) for each in entries])
    assert answer.appended + answer.repeated_commands == 50
    assert answer.repeated_commands >= 7
    assert await edge.ledger.head("north") == 56
    await client.close()


async def test_a_refused_command_id_may_be_used_again(edge: RunningEdge) -> None:
    """Nothing is remembered of what was never done."""
    client = GrpcClient(edge.addresses.grpc)
    request = register_patient()
    request.case_number = ""
    with pytest.raises(RpcFailed):
        await client.call("PatientService/RegisterPatient", request)
    with pytest.raises(UnknownCommand):
        await edge.ledger.command("north", UUID(request.context.command_id))
    request.case_number = "C77"
    answer = await client.call("PatientService/RegisterPatient", request)
    assert answer.receipt.position == 1
    await client.close()


async def _above(edge: RunningEdge, position: int) -> bool:
    return await edge.ledger.head("north") > position


async def _no_stream(edge: RunningEdge) -> bool:
    return not edge.registry.get_sample_value("ledger_calls_in_flight", {"shape": "stream"})
