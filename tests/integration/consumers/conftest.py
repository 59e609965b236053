"""A real server and a real publisher on a real PostgreSQL; the consumers talk to both as outsiders do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import grpc.aio
import pytest
from prometheus_client import CollectorRegistry

from ledger.api.v1.stream_pb2 import AddHospitalRequest
from ledger.api.v1.stream_pb2_grpc import HospitalServiceStub
from ledger.config import Settings, load
from ledger.publisher.role import run_publisher
from ledger.server import key_service
from ledger.server.limits import Limits
from ledger.server.serving import Addresses, run_server
from tests.integration.consumers.hospitals import Hospitals
from tests.services.key_service import fixed_key_service
from tests.services.postgres import Database
from tests.services.sealed import FIXED_KEY, open_ledger
from tests.services.template import ROLE_PASSWORDS

_ROLES = {"MIGRATE": "ledger_migrate", "APPEND": "ledger_append", "STREAM": "ledger_stream", "VIEWS": "ledger_views"}


@pytest.fixture
def settings(database: Database) -> Settings:
    """Settings for a database of this test alone, ports as they come."""
    return load(urls_of(database))


def urls_of(database: Database) -> dict[str, str]:
    """The environment of a service on a database, on ports as they come."""
    urls = {f"LEDGER_POSTGRES_{key}_URL": database.url_for(role, ROLE_PASSWORDS[role]) for key, role in _ROLES.items()}
    return {**urls, "LEDGER_GRPC_LISTEN": "127.0.0.1:0", "LEDGER_HTTP_LISTEN": "127.0.0.1:0"}


@pytest.fixture
async def address(settings: Settings) -> AsyncIterator[str]:
    """gRPC address of a server with the hospitals north, which names no address of its own, and south."""
    stop = asyncio.Event()
    bound: asyncio.Future[Addresses] = asyncio.get_running_loop().create_future()
    ledger = await open_ledger(settings)
    serving = asyncio.create_task(
        run_server(
            settings,
            ledger,
            {key_service.RPC: fixed_key_service().unseal},
            stop,
            bound.set_result,
            registry=CollectorRegistry(),
            limits=replace(Limits(), drain_seconds_max=1.0),
        )
    )
    await asyncio.wait([bound, serving], return_when=asyncio.FIRST_COMPLETED)
    if not bound.done():
        await serving
    found = bound.result().grpc
    async with grpc.aio.insecure_channel(found) as channel:
        for hospital, at in (("north", ""), ("south", found)):
            await HospitalServiceStub(channel).AddHospital(AddHospitalRequest(hospital_id=hospital, address=at))
    yield found
    stop.set()
    await serving
    await ledger.close()


@pytest.fixture
async def channel(address: str) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to the server."""
    async with grpc.aio.insecure_channel(address) as opened:
        yield opened


@pytest.fixture
async def publisher(settings: Settings, address: str) -> AsyncIterator[None]:
    """Publishes on the PostgreSQL log while the test runs."""
    assert address
    stop, ready = asyncio.Event(), asyncio.Event()
    publishing = asyncio.create_task(run_publisher(settings, FIXED_KEY, stop, ready.set))
    await ready.wait()
    yield
    stop.set()
    await publishing


@pytest.fixture
def hospitals(
    channel: grpc.aio.Channel, address: str, publisher: None, settings: Settings, tmp_path: Path
) -> Hospitals:
    """North, which sends, and south, which receives."""
    assert publisher is None
    return Hospitals(channel, address, settings, tmp_path)
