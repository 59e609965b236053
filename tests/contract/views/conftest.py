"""The views on each adapter of the published stream, published and read by the product itself."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest

from ledger.cli.feeds import view_tools
from ledger.cli.queries import partition_function
from ledger.config import Settings, load
from ledger.embedded.kafka import EmbeddedKafka
from ledger.lease import Leases, lease_pool
from ledger.publisher.role import run_publisher
from projections.freshness import Freshness, PartitionCounts
from projections.session import Pace, Tools
from tests.contract.views.ground import PASSWORDS, Ground, opened_ground
from tests.eventually import SECONDS_MAX
from tests.services.postgres import Database
from tests.services.sealed import FIXED_KEY


@dataclass(frozen=True)
class Published:
    """A ledger whose events are published, and what the views need to follow it."""

    ground: Ground
    settings: Settings
    leases: Leases
    """On connections of their own, as the program has them: the views' sessions take all of the pool's."""

    @property
    def hospital(self) -> str:
        return self.ground.hospital

    def tools(self) -> Tools:
        """What the composition root hands to the runner."""
        return view_tools(self.settings, self.ground.pool, self.leases, FIXED_KEY, Pace(sweep_s=0.1))

    def freshness(self) -> Freshness:
        pool = self.ground.pool
        return Freshness(pool, self.ground, PartitionCounts(pool), partition_function(self.settings), SECONDS_MAX)


@pytest.fixture
async def on_postgres(empty_database: Database) -> AsyncIterator[Published]:
    """On the PostgreSQL log."""
    async with published_at(empty_database, settings_of(empty_database)) as published:
        yield published


@pytest.fixture
async def on_kafka(empty_database: Database, kafka_broker: EmbeddedKafka) -> AsyncIterator[Published]:
    """On the session's Kafka, with the product's publisher."""
    settings = settings_of(empty_database, LEDGER_STREAM="kafka", LEDGER_KAFKA_BOOTSTRAP=kafka_broker.bootstrap)
    async with published_at(empty_database, settings) as published:
        stop, ready = asyncio.Event(), asyncio.Event()
        publishing = asyncio.create_task(run_publisher(settings, FIXED_KEY, stop, ready.set))
        await ready.wait()
        yield published
        stop.set()
        await publishing


@asynccontextmanager
async def published_at(database: Database, settings: Settings) -> AsyncGenerator[Published]:
    """A ledger of a hospital of its own."""
    async with (
        opened_ground(database, f"v{uuid4().hex[:8]}") as ground,
        lease_pool(settings.postgres_views_url) as leases,
    ):
        yield Published(ground, settings, Leases(leases.connection))


def settings_of(database: Database, **more: str) -> Settings:
    roles = {"STREAM": "ledger_stream", "VIEWS": "ledger_views"}
    urls = {f"LEDGER_POSTGRES_{key}_URL": database.url_for(role, PASSWORDS[role]) for key, role in roles.items()}
    return load({**urls, **more})
