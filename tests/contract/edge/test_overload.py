"""More commands than one hospital's writer may keep waiting."""

import asyncio

import psycopg
import pytest

from ledger.store import committer
from tests.contract.edge.clients import EdgeClient, RpcFailed
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import register_patient
from tests.eventually import eventually_async
from tests.services.postgres import Database


async def test_a_full_queue_refuses_and_loses_nothing(
    client: EdgeClient, edge: RunningEdge, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RESOURCE_EXHAUSTED at once, with hospital and number; what waits is done, another hospital is served."""
    monkeypatch.setattr(committer, "WAITING_MAX", 1)
    await client.call("PatientService/RegisterPatient", register_patient())
    waiting: list[asyncio.Task[object]] = []
    async with await psycopg.AsyncConnection.connect(database.url) as holder:
        await holder.execute('SELECT * FROM "h_north".head FOR UPDATE')

        async def send_until_one_waits() -> bool:
            if len(waiting) < 2:
                waiting.append(asyncio.create_task(client.call("PatientService/RegisterPatient", register_patient())))
                await eventually_async(lambda: _appending(database), what="an append that waits for the head")
            return edge.ledger.load("north").queue_length == 1

        await eventually_async(send_until_one_waits, what="a full queue")
        with pytest.raises(RpcFailed) as failure:
            await client.call("PatientService/RegisterPatient", register_patient())
        await client.call("PatientService/RegisterPatient", register_patient("south"))
    assert (failure.value.code, failure.value.reason) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
    assert failure.value.facts == {"hospital": "north", "waiting": "1"}
    await asyncio.gather(*waiting)
    assert await edge.ledger.head("north") == 3


async def _appending(database: Database) -> bool:
    question = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        " AND query LIKE '%append_%'"
    )
    async with await psycopg.AsyncConnection.connect(database.url) as connection:
        return await (await connection.execute(question)).fetchone() is not None
