"""A real server on a real PostgreSQL, and a client of each protocol."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import psycopg
import pytest
from prometheus_client import CollectorRegistry

from ledger.application.ledger import Ledger
from ledger.config import Settings, load
from ledger.server.edge import Query
from ledger.server.limits import Limits
from ledger.server.log_readers import Logs
from ledger.server.serving import Addresses, run_server
from tests.contract.edge.clients import ConnectClient, EdgeClient, GrpcClient
from tests.services.postgres import Database
from tests.services.sealed import open_ledger
from tests.services.template import ROLE_PASSWORDS

_ROLES = {
    "MIGRATE": "ledger_migrate",
    "APPEND": "ledger_append",
    "STREAM": "ledger_stream",
    "VIEWS": "ledger_views",
    "KEYS": "ledger_keys",
}


@dataclass
class RunningEdge:
    """A server under test, in the loop of the test."""

    ledger: Ledger
    settings: Settings
    registry: CollectorRegistry
    queries: dict[str, Query] = field(default_factory=dict[str, Query])
    unfollowed: list[str] = field(default_factory=list[str])
    """Hospitals whose destructions are not applied."""
    addresses: Addresses = field(default_factory=lambda: Addresses("", ""))
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    async def start(self, limits: Limits | None = None, logs: Logs | None = None) -> None:
        """Starts and waits until both listeners answer."""
        bound: asyncio.Future[Addresses] = asyncio.get_running_loop().create_future()
        serving = run_server(
            self.settings,
            self.ledger,
            self.queries,
            self._stop,
            bound.set_result,
            registry=self.registry,
            limits=limits or replace(Limits(), drain_seconds_max=1.0),
            logs=logs,
            unfollowed=lambda: self.unfollowed,
        )
        self._task = asyncio.create_task(serving)
        await asyncio.wait([bound, self._task], return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            failed, self._task = self._task, None
            await failed
        self.addresses = bound.result()

    async def registers(self) -> list[tuple[object, ...]]:
        """Everything that the actor registers of both hospitals hold."""
        async with await psycopg.AsyncConnection.connect(self.settings.postgres_append_url) as connection:
            both = "SELECT * FROM h_north.actors UNION ALL SELECT * FROM h_south.actors"
            return await (await connection.execute(both)).fetchall()

    async def stop(self) -> None:
        """Stops as SIGTERM does."""
        self._stop.set()
        if self._task is not None:
            await self._task


@pytest.fixture
def settings(database: Database) -> Settings:
    """Settings for a database of this test alone, ports as they come."""
    urls = {f"LEDGER_POSTGRES_{key}_URL": database.url_for(role, ROLE_PASSWORDS[role]) for key, role in _ROLES.items()}
    return load({**urls, "LEDGER_GRPC_LISTEN": "127.0.0.1:0", "LEDGER_HTTP_LISTEN": "127.0.0.1:0"})


@pytest.fixture
async def idle_edge(settings: Settings) -> AsyncIterator[RunningEdge]:
    """An edge over a ledger with the hospitals north and south, not started yet."""
    ledger = await open_ledger(settings)
    for name in ("north", "south"):
        await ledger.add_hospital(name, 1, "")
    running = RunningEdge(ledger, settings, CollectorRegistry())
    yield running
    await running.stop()
    await ledger.close()


@pytest.fixture
async def edge(idle_edge: RunningEdge) -> RunningEdge:
    """A running edge with the hospitals north and south."""
    await idle_edge.start()
    return idle_edge


@pytest.fixture(params=[GrpcClient, ConnectClient], ids=["grpc", "connect"])
async def client(request: pytest.FixtureRequest, edge: RunningEdge) -> AsyncIterator[EdgeClient]:
    """A client of each protocol."""
    address = edge.addresses.grpc if request.param is GrpcClient else edge.addresses.http
    client: GrpcClient | ConnectClient = request.param(address)
    yield client
    await client.close()
