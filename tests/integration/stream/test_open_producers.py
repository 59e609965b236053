"""Many hospitals have work, and one process publishes them with few producers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from ledger.embedded.kafka import EmbeddedKafka
from ledger.lease import Leases, Places
from ledger.publisher.kafka_sink import KafkaSink
from ledger.publisher.ledger_log import HospitalRow, LedgerLog, log_pool
from ledger.publisher.role import Sweeper
from ledger.publisher.routing import Routing
from ledger.publisher.sink import PostgresSink, Sink
from ledger.stream.kafka.reader import KafkaStreamReader
from ledger.stream.topics import records_topic
from tests.contract.stream.loaded_ledger import LoadedLedger, assert_exactly_once, read_to_end
from tests.eventually import eventually_async
from tests.services.postgres import Database
from tests.services.sealed import FIXED_KEY

MakeSink = Callable[[LedgerLog, HospitalRow], Sink]


@dataclass
class Open:
    """What is open now, how many were at most, and how often each hospital was opened."""

    now: set[str] = field(default_factory=set)
    most: int = 0
    times: Counter[str] = field(default_factory=Counter)

    def counted(self, hospital: str, sink: Sink) -> Sink:
        """The same sink, counted."""
        return CountedSink(hospital, sink, self)


class CountedSink:
    """A sink that is counted from before it is opened until after it was closed."""

    def __init__(self, hospital: str, sink: Sink, counts: Open) -> None:
        self._hospital = hospital
        self._sink = sink
        self._open = counts
        self.publish = sink.publish
        self.look = sink.look

    async def open(self) -> int:
        """Counts, and opens."""
        self._open.now.add(self._hospital)
        self._open.times[self._hospital] += 1
        self._open.most = max(self._open.most, len(self._open.now))
        return await self._sink.open()

    async def close(self) -> None:
        """Closes, and no longer counts."""
        await self._sink.close()
        self._open.now.discard(self._hospital)


@asynccontextmanager
async def publishing(database: Database, make_sink: MakeSink, places: Places) -> AsyncGenerator[Open]:
    """One process's publisher while the block runs."""
    counts, stop, ready = Open(), asyncio.Event(), asyncio.Event()
    async with log_pool(database.role_url("ledger_stream")) as pool:
        log = LedgerLog(pool)

        def counted(hospital: HospitalRow) -> Sink:
            return counts.counted(hospital.id, make_sink(log, hospital))

        sweeper = Sweeper(log, Leases(pool.connection), counted, places, look_first=False)
        running = asyncio.create_task(sweeper.run(stop, ready.set))
        try:
            yield counts
        finally:
            stop.set()
            await running


async def add_ledgers(database: Database, count: int, events: int) -> list[LoadedLedger]:
    """Hospitals with events that are not published yet."""
    stem = uuid4().hex[:6]
    ledgers = [await LoadedLedger.add(database, f"h{stem}-{number}", 2) for number in range(count)]
    for ledger in ledgers:
        ledger.append(events)
    return ledgers


async def wait_until_published(ledgers: list[LoadedLedger]) -> None:
    done = lambda: asyncio.to_thread(lambda: all(each.progress() == each.head for each in ledgers))  # noqa: E731
    await eventually_async(done, seconds_max=60, what="every hospital published")


def assert_on_kafka_once(ledger: LoadedLedger, bootstrap: str) -> None:
    """The topic holds the ledger, every event once and in order."""
    reader = KafkaStreamReader(bootstrap, records_topic(ledger.hospital))
    try:
        assert_exactly_once(ledger, read_to_end(reader))
    finally:
        reader.close()


@pytest.mark.long
async def test_more_hospitals_than_producers(database: Database, kafka_broker: EmbeddedKafka) -> None:
    """Seven hospitals, three producers: all is published once, never more than three are open, an idle one is closed,
    and a hospital that wakes gets one again."""
    ledgers = await add_ledgers(database, 7, 40)
    bootstrap = kafka_broker.bootstrap
    make_sink: MakeSink = lambda log, hospital: KafkaSink(bootstrap, log, hospital, Routing(FIXED_KEY))  # noqa: E731
    async with publishing(database, make_sink, Places(3, 1.0)) as opened:
        await wait_until_published(ledgers)
        await eventually_async(lambda: asyncio.sleep(0, not opened.now), what="idle producers closed")
        ledgers[0].append(5)
        await wait_until_published(ledgers)
    assert opened.most == 3
    assert opened.times == {each.hospital: 2 if each is ledgers[0] else 1 for each in ledgers}
    for ledger in ledgers:
        await asyncio.to_thread(assert_on_kafka_once, ledger, bootstrap)


async def test_hospitals_that_never_rest_take_turns(database: Database) -> None:
    """Three hospitals with several batches each, and one place: none is published to its end before all have begun."""
    ledgers = await add_ledgers(database, 3, 3_000)
    make_sink: MakeSink = lambda log, hospital: PostgresSink(log, hospital, Routing(FIXED_KEY))  # noqa: E731
    async with publishing(database, make_sink, Places(1, 60.0, turn_seconds=0.0)) as opened:
        await wait_until_published(ledgers)
    assert opened.most == 1
    assert min(opened.times.values()) >= 2, opened.times
