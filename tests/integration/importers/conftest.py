"""A real server on a real PostgreSQL, to which the importer talks as any outsider does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import grpc.aio
import pytest
from prometheus_client import CollectorRegistry

from ledger.application.ledger import Ledger
from ledger.config import Settings, load
from ledger.server.limits import Limits
from ledger.server.serving import Addresses, run_server
from tests.services.postgres import Database
from tests.services.sealed import open_ledger
from tests.services.template import ROLE_PASSWORDS

_ROLES = {"MIGRATE": "ledger_migrate", "APPEND": "ledger_append", "STREAM": "ledger_stream", "VIEWS": "ledger_views"}


@pytest.fixture
def settings(database: Database) -> Settings:
    """Settings for a database of this test alone, ports as they come."""
    urls = {f"LEDGER_POSTGRES_{key}_URL": database.url_for(role, ROLE_PASSWORDS[role]) for key, role in _ROLES.items()}
    return load({**urls, "LEDGER_GRPC_LISTEN": "127.0.0.1:0", "LEDGER_HTTP_LISTEN": "127.0.0.1:0"})


@pytest.fixture
async def ledger(settings: Settings) -> AsyncIterator[Ledger]:
    """A ledger with the hospital north."""
    opened = await open_ledger(settings)
    await opened.add_hospital("north", 1, "")
    yield opened
    await opened.close()


@pytest.fixture
async def address(settings: Settings, ledger: Ledger) -> AsyncIterator[str]:
    """gRPC address of a server over that ledger."""
    stop = asyncio.Event()
    bound: asyncio.Future[Addresses] = asyncio.get_running_loop().create_future()
    limits = replace(Limits(), drain_seconds_max=1.0)
    registry = CollectorRegistry()
    serving = asyncio.create_task(
        run_server(settings, ledger, {}, stop, bound.set_result, registry=registry, limits=limits)
    )
    await asyncio.wait([bound, serving], return_when=asyncio.FIRST_COMPLETED)
    if not bound.done():
        await serving
    yield bound.result().grpc
    stop.set()
    await serving


@pytest.fixture
async def channel(address: str) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to the server."""
    async with grpc.aio.insecure_channel(address) as opened:
        yield opened
