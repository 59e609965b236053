"""The published stream of a ledger on both of its carriers."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest

from ledger.cli.feeds import open_records
from ledger.config import Settings, load
from ledger.embedded.kafka import EmbeddedKafka
from ledger.publisher.role import run_publisher
from ledger.stream.contract import StreamReader
from ledger.stream.kafka.reader import KafkaStreamReader
from ledger.stream.postgres.reader import transfers_reader
from ledger.stream.topics import transfers_topic
from tests.contract.stream.loaded_ledger import LoadedLedger
from tests.eventually import eventually_async
from tests.services.postgres import Database
from tests.services.sealed import FIXED_KEY


@dataclass
class Carrier:
    """What carries the stream in this test: settings, and the ways in and out."""

    settings: Settings
    database: Database

    async def add(self, stem: str) -> LoadedLedger:
        """A new hospital with three partitions; the session's broker is shared, names are not."""
        return await LoadedLedger.add(self.database, f"{stem}-{uuid4().hex[:8]}", 3)

    @asynccontextmanager
    async def publishing(self) -> AsyncGenerator[None]:
        """A publisher while the block runs."""
        stop, ready = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(run_publisher(self.settings, FIXED_KEY, stop, ready.set))
        try:
            yield
        finally:
            stop.set()
            await task

    async def publish(self, *ledgers: LoadedLedger) -> None:
        """Publishes all there is."""
        async with self.publishing():
            for ledger in ledgers:
                done = lambda ledger=ledger: asyncio.to_thread(lambda: ledger.progress() >= ledger.head)  # noqa: E731
                await eventually_async(done, what=f"{ledger.hospital} published")

    def records(self, ledger: LoadedLedger) -> StreamReader:
        """A reader of a hospital's events."""
        return open_records(self.settings, ledger.hospital)

    def transfers(self, recipient: LoadedLedger) -> StreamReader:
        """A reader of what concerns transfers and is meant for a hospital."""
        if self.settings.stream == "kafka":
            return KafkaStreamReader(self.settings.kafka_bootstrap, transfers_topic(recipient.hospital))
        return transfers_reader(self.settings.postgres_stream_url, recipient.hospital)


@pytest.fixture
def postgres_carrier(database: Database) -> Carrier:
    """The PostgreSQL log."""
    return Carrier(load({"LEDGER_POSTGRES_STREAM_URL": database.role_url("ledger_stream")}), database)


@pytest.fixture
def kafka_carrier(postgres_carrier: Carrier, kafka_broker: EmbeddedKafka) -> Carrier:
    """The session's broker."""
    settings = replace(postgres_carrier.settings, stream="kafka", kafka_bootstrap=kafka_broker.bootstrap)
    return Carrier(settings, postgres_carrier.database)
