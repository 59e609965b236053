"""A ledger and its publisher on the session's broker."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import pytest

from ledger.config import Settings, load
from ledger.embedded.kafka import EmbeddedKafka
from ledger.publisher.role import run_publisher
from tests.contract.stream.loaded_ledger import LoadedLedger
from tests.fault.topic_contents import PARTITIONS, Publishing
from tests.services.postgres import Database
from tests.services.sealed import FIXED_KEY


@pytest.fixture
async def ledger(database: Database) -> LoadedLedger:
    """A hospital of this test alone."""
    return await LoadedLedger.add(database, f"h{uuid4().hex[:8]}", PARTITIONS)


@pytest.fixture
def settings(database: Database, kafka_broker: EmbeddedKafka) -> Settings:
    """The publisher's settings."""
    url = database.role_url("ledger_stream")
    settings = load({"LEDGER_POSTGRES_STREAM_URL": url})
    return replace(settings, stream="kafka", kafka_bootstrap=kafka_broker.bootstrap)


@pytest.fixture
def publishing(settings: Settings) -> Publishing:
    """A publisher while the block runs."""

    @asynccontextmanager
    async def publish() -> AsyncGenerator[None]:
        stop, ready = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(run_publisher(settings, FIXED_KEY, stop, ready.set))
        try:
            yield
        finally:
            stop.set()
            await task

    return publish
