"""Kills of the publisher and of the broker while a few thousand events are being published."""

import random
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from ledger.embedded.kafka import EmbeddedKafka
from ledger.stream.contract import StreamError
from ledger.stream.kafka.reader import KafkaStreamReader
from ledger.stream.topics import records_topic
from tests.contract.stream.loaded_ledger import LoadedLedger, assert_exactly_once, read_to_end
from tests.eventually import eventually
from tests.fault.publisher_process import PublisherProcess
from tests.services.postgres import Database

EVENTS = 20_000


@pytest.fixture
async def ledger(database: Database) -> LoadedLedger:
    """A hospital that no other test publishes: the session's broker is shared."""
    return await LoadedLedger.add(database, f"h{uuid4().hex[:8]}", 6)


@pytest.fixture
def publisher(database: Database, kafka_broker: EmbeddedKafka, tmp_path: Path) -> Iterator[PublisherProcess]:
    process = PublisherProcess(database, kafka_broker.bootstrap, tmp_path)
    yield process
    process.stop()


def published(bootstrap: str, ledger: LoadedLedger) -> int:
    """Events on the topic; 0 while it cannot be read."""
    try:
        reader = KafkaStreamReader(bootstrap, records_topic(ledger.hospital))
    except StreamError:
        return 0
    try:
        return len(read_to_end(reader))
    finally:
        reader.close()


def assert_all_published(bootstrap: str, ledger: LoadedLedger, seconds_max: float) -> None:
    eventually(
        lambda: published(bootstrap, ledger) >= ledger.head, seconds_max=seconds_max, what="all events published"
    )
    reader = KafkaStreamReader(bootstrap, records_topic(ledger.hospital))
    assert_exactly_once(ledger, read_to_end(reader))
    reader.close()


@pytest.mark.long
def test_killed_publisher_loses_doubles_and_reorders_nothing(
    ledger: LoadedLedger, publisher: PublisherProcess, kafka_broker: EmbeddedKafka
) -> None:
    """Eight kill -9 at random moments of a load: the topic holds every position once, in order."""
    dice = random.Random(7)  # noqa: S311  # moments, not secrets
    ledger.append(EVENTS)
    for _ in range(8):
        before = ledger.progress()
        publisher.start()
        eventually(lambda before=before: ledger.progress() > before)
        # The moment of the kill is the point of this test; nothing is waited for.
        threading.Event().wait(dice.uniform(0.0, 0.1))
        publisher.kill()
        ledger.end_leases()
        ledger.append(2_000)
    publisher.start()
    assert_all_published(kafka_broker.bootstrap, ledger, 60)


@pytest.mark.long
def test_killed_publisher_is_replaced(
    ledger: LoadedLedger, publisher: PublisherProcess, database: Database, kafka_broker: EmbeddedKafka, tmp_path: Path
) -> None:
    """A second publisher that stands by takes a killed one's place when its lease is over."""
    ledger.append(10)
    publisher.start()
    eventually(lambda: published(kafka_broker.bootstrap, ledger) == 10)
    (tmp_path / "other").mkdir()
    other = PublisherProcess(database, kafka_broker.bootstrap, tmp_path / "other")
    other.start()
    try:
        publisher.kill()
        ledger.append(10)
        eventually(lambda: published(kafka_broker.bootstrap, ledger) == 20)
    finally:
        other.stop()


@pytest.mark.long
def test_killed_broker_loses_doubles_and_reorders_nothing(
    ledger: LoadedLedger, own_kafka: EmbeddedKafka, database: Database, tmp_path: Path
) -> None:
    """Two kill -9 of the broker during a load; appends go on meanwhile, and everything comes out once, in order."""
    publisher = PublisherProcess(database, own_kafka.bootstrap, tmp_path)
    ledger.append(EVENTS)
    publisher.start()
    try:
        for _ in range(2):
            eventually(lambda: published(own_kafka.bootstrap, ledger) > 0)
            own_kafka.kill9()
            ledger.append(5_000)
            own_kafka.start()
            if not publisher.alive:
                publisher.start()
        assert_all_published(own_kafka.bootstrap, ledger, 90)
    finally:
        publisher.stop()
