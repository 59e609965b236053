"""What a publisher has put on a topic."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient

from ledger.stream.contract import PublishedEvent, StreamError
from ledger.stream.kafka.reader import KafkaStreamReader
from ledger.stream.topics import records_topic
from tests.contract.stream.loaded_ledger import LoadedLedger, read_to_end
from tests.eventually import SECONDS_MAX, eventually_async

PARTITIONS = 3
Publishing = Callable[[], AbstractAsyncContextManager[None]]


def on_topic(bootstrap: str, topic: str) -> list[PublishedEvent]:
    """Every event on a topic; none where it is not there."""
    try:
        reader = KafkaStreamReader(bootstrap, topic)
    except StreamError:
        return []
    try:
        return read_to_end(reader)
    finally:
        reader.close()


async def wait_for_events(bootstrap: str, topic: str, count: int) -> list[PublishedEvent]:
    """Waits until a topic holds so many events."""

    async def enough() -> list[PublishedEvent] | None:
        found = await asyncio.to_thread(on_topic, bootstrap, topic)
        return found if len(found) >= count else None

    found = await eventually_async(enough, what=f"{count} events on {topic}")
    assert found is not None
    return found


async def wait_until_whole(
    ledger: LoadedLedger, bootstrap: str, *, seconds_max: float = SECONDS_MAX
) -> list[PublishedEvent]:
    """Waits until the topic of a ledger's records holds every position once; what it holds.

    While a partition is emptied and filled again, one reading may see both what it held and what it holds.
    """
    topic, wanted = records_topic(ledger.hospital), list(range(1, ledger.head + 1))

    async def whole() -> list[PublishedEvent] | None:
        found = await asyncio.to_thread(on_topic, bootstrap, topic)
        return found if sorted(each.position for each in found) == wanted else None

    found = await eventually_async(whole, seconds_max=seconds_max, what=f"{topic} whole")
    assert found is not None
    return found


async def wait_until_noted(ledger: LoadedLedger, *, seconds_max: float = SECONDS_MAX) -> None:
    """Waits until the publisher has noted that all is published."""
    noted = lambda: asyncio.to_thread(lambda: ledger.progress() == ledger.head)  # noqa: E731
    await eventually_async(noted, seconds_max=seconds_max, what=f"{ledger.hospital} published")


def delete_topic(bootstrap: str, topic: str) -> None:
    """Deletes a topic as an operator would."""
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        admin.delete_topics([topic])


def cut(bootstrap: str, topic: str, upto: dict[int, int]) -> None:
    """Deletes what partitions hold below an offset; -1 for all of it."""
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        admin.delete_records({TopicPartition(topic, partition): offset for partition, offset in upto.items()})


def headers_on(bootstrap: str, topic: str) -> list[dict[str, bytes]]:
    """The headers of every committed message, read without the product."""
    settings = {"bootstrap_servers": bootstrap, "isolation_level": "read_committed", "group_id": None}
    with KafkaConsumer(**settings) as consumer:
        partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        found: list[dict[str, bytes]] = []
        while any(consumer.position(each) < ends[each] for each in partitions):
            found += [dict(record.headers) for records in consumer.poll(200).values() for record in records]
        return found
