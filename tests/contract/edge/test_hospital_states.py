"""A hospital that is not in use, or whose figures cannot be read, hides none of the others."""

import asyncio
import sys
from collections.abc import AsyncIterator

import httpx
import psycopg
import pytest

from ledger.api.v1.stream_pb2 import GetStatusRequest
from tests.contract.edge.clients import GrpcClient, RpcFailed
from tests.contract.edge.composition import composed
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import open_record
from tests.services.postgres import Database


@pytest.fixture(params=["with views", "without views"])
async def edge(request: pytest.FixtureRequest, idle_edge: RunningEdge) -> AsyncIterator[RunningEdge]:
    """A running edge, with every view's queries or with none."""
    if request.param == "without views":
        await idle_edge.start()
        yield idle_edge
    else:
        async with composed(idle_edge) as running:
            yield running


@pytest.fixture
async def client(edge: RunningEdge, database: Database) -> AsyncIterator[GrpcClient]:
    """Six events at `north`; `west` is being added by somebody, `east` has lost its schema."""
    client = GrpcClient(edge.addresses.grpc)
    await open_record(client)
    with psycopg.connect(database.url, autocommit=True) as connection:
        for hospital, state in (("west", "adding"), ("east", "active")):
            row = (hospital, f"x/{hospital}/1", 1, state)
            connection.execute(
                "INSERT INTO ledger_control.hospitals (id, origin, partitions, state) VALUES (%s, %s, %s, %s)", row
            )
    yield client
    await client.close()


async def test_the_status_marks_it_and_shows_the_others(client: GrpcClient) -> None:
    """Asked for all or for that one."""
    found = (await client.call("OperationsService/GetStatus", GetStatusRequest())).hospitals
    assert [(each.hospital, each.state, each.head) for each in found] == [
        ("east", "failed", 0),
        ("north", "active", 6),
        ("south", "active", 0),
        ("west", "adding", 0),
    ]
    assert [each.calendar_until for each in found if each.state == "active"] == ["2026-12-31"] * 2
    (west,) = (await client.call("OperationsService/GetStatus", GetStatusRequest(hospital="west"))).hospitals
    assert (west.hospital, west.state) == ("west", "adding")
    with pytest.raises(RpcFailed) as failure:
        await client.call("OperationsService/GetStatus", GetStatusRequest(hospital="nowhere"))
    assert failure.value.reason == "UNKNOWN_HOSPITAL"


@pytest.mark.usefixtures("client")
async def test_the_metrics_show_the_others(edge: RunningEdge) -> None:
    """Its state alone is there: a head of 0 would read as a ledger that was lost."""
    async with httpx.AsyncClient(base_url=edge.addresses.http, trust_env=False, timeout=60) as http:
        text = (await http.get("/metrics")).text
    assert "ledger_store_answers 1.0" in text
    assert 'ledger_head_position{hospital="north"} 6.0' in text
    assert 'ledger_hospital_state{hospital="west",state="adding"} 1.0' in text
    assert 'ledger_hospital_state{hospital="east",state="failed"} 1.0' in text
    assert 'ledger_head_position{hospital="west"}' not in text
    assert 'ledger_head_position{hospital="east"}' not in text


async def test_the_program_shows_them_all(client: GrpcClient, edge: RunningEdge) -> None:
    """`ledger status` ends with 0 and names every hospital with its state."""
    del client
    command = [sys.executable, "-m", "ledger.cli.main", "status", "--address", edge.addresses.grpc]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    shown, _ = await process.communicate()
    assert process.returncode == 0
    for word in ("north", "active", "west", "adding", "east", "failed"):
        assert word in shown.decode()


async def test_verify_goes_on_to_the_hospitals_behind_it(
    client: GrpcClient, edge: RunningEdge, database: Database
) -> None:
    """`ledger verify` without names checks every ledger that there is; one that is being added has none yet."""
    del client
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("UPDATE ledger_control.hospitals SET state = 'adding' WHERE id = 'east'")
    command = [sys.executable, "-m", "ledger.cli.main", "verify", "--address", edge.addresses.grpc]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    shown, _ = await process.communicate()
    assert process.returncode == 0
    assert "north: holds. 6 events" in shown.decode()
    assert "south: holds." in shown.decode()
