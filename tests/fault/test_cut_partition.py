"""A partition loses its newest bytes in a power cut and is filled again: the same topic, with other offsets."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from ledger.cli.queries import partition_function
from ledger.config import Settings
from ledger.embedded.kafka import EmbeddedKafka
from ledger.publisher.role import run_publisher
from ledger.stream.topics import records_topic
from projections.digests import view_digest
from projections.operations import ViewOperations
from projections.views import ALL
from tests.contract.views import histories as h
from tests.contract.views.conftest import Published, published_at, settings_of
from tests.contract.views.follow_stream import all_handled, recomputed, running
from tests.contract.views.ground import PARTITIONS
from tests.eventually import eventually_async
from tests.services.postgres import Database
from tests.services.sealed import FIXED_KEY

pytestmark = pytest.mark.long


@asynccontextmanager
async def publishing(settings: Settings) -> AsyncGenerator[None]:
    stop, ready = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(run_publisher(settings, FIXED_KEY, stop, ready.set))
    await ready.wait()
    try:
        yield
    finally:
        stop.set()
        await task


async def published(there: Published) -> None:
    """Waits until the publisher has noted the head."""

    def done() -> bool:
        with psycopg.connect(there.ground.database.url) as connection:
            query = "SELECT position FROM ledger_control.transfer_progress WHERE hospital = %s"
            row = connection.execute(query, (there.hospital,)).fetchone()
        return row is not None and row[0] >= there.ground.head

    await eventually_async(lambda: asyncio.to_thread(done), what="published")


async def test_views_go_on_after_a_partition_was_cut_and_filled_again(
    empty_database: Database, own_kafka: EmbeddedKafka, caplog: pytest.LogCaptureFixture
) -> None:
    """The offsets of their checkpoints mean something else now: they look from the start, and handle each once."""
    settings = settings_of(empty_database, LEDGER_STREAM="kafka", LEDGER_KAFKA_BOOTSTRAP=own_kafka.bootstrap)
    async with published_at(empty_database, settings) as there:
        ground = there.ground
        streams = one_stream_per_partition(there)
        async with publishing(settings), running(there):
            ground.append([stream.seal(h.registered()) for stream in streams])
            # One event to a transaction: each takes two offsets, and fewer once it is published again in one batch.
            for number in range(24):
                ground.append([streams[number % PARTITIONS].seal(h.moved_to(f"D{number}"))])
                await all_handled(there)
        own_kafka.kill9()
        for partition in range(PARTITIONS):
            cut_in_half(own_kafka.data / f"{records_topic(there.hospital)}-{partition}")
        own_kafka.start()
        async with publishing(settings):
            ground.append([streams[number % PARTITIONS].seal(h.moved_to(f"E{number}")) for number in range(60)])
            await published(there)
            with caplog.at_level(logging.WARNING, "ledger.cli.feeds"):
                async with running(there):
                    await all_handled(there)
        assert any("read from its start" in record.message for record in caplog.records)
        for view in ALL:
            handled = await view_digest(ground.pool, there.hospital, view)
            assert {number: each.digest for number, each in handled.items() if each.events} == recomputed(there)


async def test_a_gap_that_stays_is_a_state_of_the_view(
    empty_database: Database, own_kafka: EmbeddedKafka, caplog: pytest.LogCaptureFixture
) -> None:
    """Records were deleted: status says `gap`, an error is logged, the other partitions go on."""
    settings = settings_of(empty_database, LEDGER_STREAM="kafka", LEDGER_KAFKA_BOOTSTRAP=own_kafka.bootstrap)
    async with published_at(empty_database, settings) as there:
        ground = there.ground
        streams = one_stream_per_partition(there)
        async with publishing(settings):
            ground.append([stream.seal(h.registered()) for stream in streams])
            ground.append([stream.seal(h.moved_to("ICU")) for stream in streams])
            await published(there)
        delete_first(own_kafka.bootstrap, records_topic(there.hospital))
        operations = ViewOperations(ground.pool, ALL, FIXED_KEY)

        async def told() -> bool:
            states = await operations.statuses(there.hospital, ground.head)
            return all((each.state, each.events) == ("gap", ground.head - 2) for each in states)

        with caplog.at_level(logging.ERROR, "projections"):
            async with running(there):
                await eventually_async(told, what="the state says gap")
        said = [record for record in caplog.records if "events are missing" in record.message]
        assert len(said) == len(ALL)


def one_stream_per_partition(there: Published) -> list[h.EventStream]:
    found: dict[int, h.EventStream] = {}
    while len(found) < PARTITIONS:
        stream = h.EventStream(hospital=there.hospital)
        found.setdefault(partition_function(there.settings)(stream.stream_id.bytes, PARTITIONS), stream)
    return [found[number] for number in range(PARTITIONS)]


def cut_in_half(folder: Path) -> None:
    """Cuts the later half of a partition's batches away, as a power cut without replicas does."""
    for log in folder.glob("*.log"):
        data, at, starts = log.read_bytes(), 0, list[int]()
        while at + 12 <= len(data) and (size := int.from_bytes(data[at + 8 : at + 12], "big")):
            starts.append(at)
            at += 12 + size
        if starts:
            log.write_bytes(data[: starts[len(starts) // 2]])
    for name in ("*.index", "*.timeindex", "*.snapshot"):
        for each in folder.glob(name):
            each.unlink()


def delete_first(bootstrap: str, topic: str) -> None:
    """Deletes the first record of partition 0."""
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        admin.delete_records({TopicPartition(topic, 0): 1})
