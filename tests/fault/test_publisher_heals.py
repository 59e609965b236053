"""A topic that was deleted, emptied or cut is filled again from the ledger, and it is said."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import pytest
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from ledger.config import Settings, load
from ledger.embedded.kafka import EmbeddedKafka
from ledger.publisher.role import run_publisher
from ledger.stream.contract import PublishedEvent, StreamError
from ledger.stream.kafka.reader import KafkaStreamReader
from ledger.stream.topics import records_topic, transfers_topic
from tests.contract.stream.loaded_ledger import LoadedLedger, assert_exactly_once, read_to_end
from tests.eventually import eventually_async
from tests.services.postgres import Database

PARTITIONS = 3
Publishing = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture
async def ledger(database: Database) -> LoadedLedger:
    return await LoadedLedger.add(database, f"h{uuid4().hex[:8]}", PARTITIONS)


@pytest.fixture
def settings(database: Database, kafka_broker: EmbeddedKafka) -> Settings:
    url = database.role_url("ledger_stream")
    settings = load({"LEDGER_POSTGRES_STREAM_URL": url})
    return replace(settings, stream="kafka", kafka_bootstrap=kafka_broker.bootstrap)


@pytest.fixture
def publishing(settings: Settings) -> Publishing:
    """A publisher while the block runs."""

    @asynccontextmanager
    async def publish() -> AsyncGenerator[None]:
        stop, ready = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(run_publisher(settings, stop, ready.set))
        try:
            yield
        finally:
            stop.set()
            await task

    return publish


def on_topic(bootstrap: str, topic: str) -> list[PublishedEvent]:
    try:
        reader = KafkaStreamReader(bootstrap, topic)
    except StreamError:
        return []
    try:
        return read_to_end(reader)
    finally:
        reader.close()


async def wait_for_events(bootstrap: str, topic: str, count: int) -> list[PublishedEvent]:
    async def enough() -> list[PublishedEvent] | None:
        found = await asyncio.to_thread(on_topic, bootstrap, topic)
        return found if len(found) >= count else None

    found = await eventually_async(enough, seconds_max=30, what=f"{count} events on {topic}")
    assert found is not None
    return found


async def test_deleted_topic_is_made_and_filled_again(
    ledger: LoadedLedger, publishing: Publishing, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """A topic deleted between two runs comes back whole; the loss is logged as an error."""
    topic = records_topic(ledger.hospital)
    ledger.append(700)
    async with publishing():
        await wait_for_events(settings.kafka_bootstrap, topic, 700)
    with KafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap) as admin:
        admin.delete_topics([topic])
    with caplog.at_level(logging.ERROR, "ledger"):
        async with publishing():
            assert_exactly_once(ledger, await wait_for_events(settings.kafka_bootstrap, topic, 700))
    assert "the topic has lost events" in caplog.text


async def test_topic_deleted_while_publishing_is_filled_again(
    ledger: LoadedLedger, publishing: Publishing, settings: Settings
) -> None:
    """The publisher notices with the next event, begins anew, and fills the topic from the first event on."""
    topic = records_topic(ledger.hospital)
    ledger.append(300)
    async with publishing():
        await wait_for_events(settings.kafka_bootstrap, topic, 300)
        with KafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap) as admin:
            admin.delete_topics([topic])
        ledger.append(50)
        await eventually_async(
            lambda: asyncio.to_thread(lambda: len(on_topic(settings.kafka_bootstrap, topic)) == 350), seconds_max=60
        )
        assert_exactly_once(ledger, on_topic(settings.kafka_bootstrap, topic))


@pytest.mark.parametrize("emptied", [(1,), (0, 1, 2)])
async def test_emptied_partitions_are_filled_again_alone(
    emptied: tuple[int, ...], ledger: LoadedLedger, publishing: Publishing, settings: Settings
) -> None:
    """What a partition lost is published again; what the others hold is not repeated."""
    topic = records_topic(ledger.hospital)
    ledger.append(900)
    async with publishing():
        await wait_for_events(settings.kafka_bootstrap, topic, 900)
    with KafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap) as admin:
        admin.delete_records({TopicPartition(topic, partition): -1 for partition in emptied})
    async with publishing():
        await wait_for_events(settings.kafka_bootstrap, topic, 900)
        ledger.append(100)
        assert_exactly_once(ledger, await wait_for_events(settings.kafka_bootstrap, topic, 1000))


async def test_new_hospital_has_its_topics_at_once(
    publishing: Publishing, settings: Settings, database: Database
) -> None:
    """A hospital added while the publisher runs gets both topics before it has any event."""
    async with publishing():
        late = await LoadedLedger.add(database, f"n{uuid4().hex[:8]}", 2)
        for topic in (records_topic(late.hospital), transfers_topic(late.hospital)):
            await eventually_async(lambda topic=topic: asyncio.to_thread(_is_there, settings, topic), seconds_max=4)


def _is_there(settings: Settings, topic: str) -> bool:
    try:
        KafkaStreamReader(settings.kafka_bootstrap, topic).close()
    except StreamError:
        return False
    return True


async def test_offers_reach_a_hospital_that_is_not_in_this_registry(
    ledger: LoadedLedger, publishing: Publishing, settings: Settings
) -> None:
    """Its transfer topic is made with the first offer; a name that no hospital can have holds nothing up."""
    elsewhere = f"e{uuid4().hex[:8]}"
    offered = ledger.offer(elsewhere)
    ledger.offer("No such hospital!")
    ledger.append(5)
    async with publishing():
        (found,) = await wait_for_events(settings.kafka_bootstrap, transfers_topic(elsewhere), 1)
        assert (found.origin, found.position) == (f"ledger.test/{ledger.hospital}/1", offered)
        assert_exactly_once(
            ledger, await wait_for_events(settings.kafka_bootstrap, records_topic(ledger.hospital), ledger.head)
        )
