"""The traps of consumer groups and of offsets that lie in Kafka: our readers have neither."""

# pyright: reportPrivateUsage=false
# That a reader has no group shows only inside it.

import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

import pytest
from kafka import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import IllegalStateError, KafkaConfigurationError, KafkaTimeoutError, RebalanceInProgressError

from ledger.embedded.kafka import EmbeddedKafka
from ledger.stream.kafka.reader import KafkaStreamReader
from ledger.stream.kafka.topics_admin import TopicsAdmin
from ledger.stream.kafka.writer import KafkaWriter
from ledger.stream.topics import records_topic
from tests.eventually import eventually
from tests.integration.kafka_traps.sending import batch, new_hospital, plain_producer

PARTITIONS = 4
COMMITS_MAX = 500
"""About one commit in four was seen to be answered with the offset before it."""


@contextmanager
def reading(bootstrap: str, hospital: str) -> Generator[KafkaStreamReader]:
    """The product's reader from the beginning of a hospital's topic."""
    reader = KafkaStreamReader(bootstrap, records_topic(hospital))
    try:
        for partition in range(reader.partitions()):
            reader.seek(partition, 0)
        yield reader
    finally:
        reader.close()


def positions_of(reader: KafkaStreamReader, count: int) -> list[int]:
    """The next positions that it hands out."""
    found: list[int] = []
    eventually(lambda: found.extend(each.position for each in reader.poll(0.2, count)) or len(found) >= count)
    return found


def member(bootstrap: str, hospital: str) -> KafkaConsumer:
    """One of a cooperative group, as the library makes it."""
    return KafkaConsumer(
        records_topic(hospital),
        bootstrap_servers=bootstrap,
        group_id=f"other.{hospital}",
        partition_assignment_strategy=[CooperativeStickyAssignor],
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        heartbeat_interval_ms=200,
    )


@contextmanager
def second_member(bootstrap: str, hospital: str) -> Generator[KafkaConsumer]:
    """Comes into the group, and reads on a thread of its own."""
    ended = threading.Event()
    with member(bootstrap, hospital) as consumer, ThreadPoolExecutor(1) as thread:
        reading = thread.submit(lambda: [consumer.poll(100) for _ in iter(ended.is_set, True)])
        try:
            yield consumer
        finally:
            ended.set()
            reading.result(20)


def commits(consumer: KafkaConsumer) -> bool:
    """Lets it go on; whether it may commit."""
    consumer.poll(50)
    try:
        consumer.commit()
    except RebalanceInProgressError:
        return False
    return True


def test_commit_during_a_cooperative_rebalance_fails_and_our_reader_goes_on(kafka_broker: EmbeddedKafka) -> None:
    """The trap: a second member comes, and commit() of the first, which keeps its partitions all the while, raises
    RebalanceInProgressError. Our reader of the same topic has no group: it reads on through it, and loses nothing."""
    hospital = f"t{uuid4().hex[:10]}"
    TopicsAdmin(kafka_broker.bootstrap).ensure(records_topic(hospital), PARTITIONS)
    writer = KafkaWriter(kafka_broker.bootstrap, hospital)
    writer.publish(batch(hospital, 1, 5))
    with reading(kafka_broker.bootstrap, hospital) as reader, member(kafka_broker.bootstrap, hospital) as first:
        assert positions_of(reader, 5) == [1, 2, 3, 4, 5]
        eventually(lambda: first.poll(100) or len(first.assignment()) == PARTITIONS, what="the first has all of it")
        first.commit()
        with second_member(kafka_broker.bootstrap, hospital) as second:
            eventually(lambda: not commits(first), what="a commit is refused")
            writer.publish(batch(hospital, 6, 5))
            assert positions_of(reader, 5) == [6, 7, 8, 9, 10]
            shared = lambda: commits(first) and len(second.assignment()) == PARTITIONS // 2  # noqa: E731
            eventually(shared, what="the rebalance is over")
    writer.close()


def asking(bootstrap: str, group: str, isolation: str) -> KafkaConsumer:
    """A consumer that asks where a group stands."""
    return KafkaConsumer(
        bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False, isolation_level=isolation
    )


def commit_offset(producer: KafkaProducer, partition: TopicPartition, group: str, offset: int) -> None:
    """A transaction of one offset, up to its commit."""
    producer.begin_transaction()
    producer.send_offsets_to_transaction({partition: OffsetAndMetadata(offset, "", -1)}, group)


def test_committed_says_an_old_offset_to_who_reads_uncommitted_data(kafka_broker: EmbeddedKafka) -> None:
    """The trap: while a transaction with offsets is not decided, and often right after its commit has returned, the
    answer is the offset before it, or None, and no error. A reader of committed data is made to wait instead. Ours has
    no group and cannot ask: its checkpoint lies with the view."""
    hospital = new_hospital(kafka_broker.bootstrap)
    partition, group = TopicPartition(records_topic(hospital), 0), f"other.{hospital}"
    producer = plain_producer(kafka_broker.bootstrap, group)
    with (
        asking(kafka_broker.bootstrap, group, "read_uncommitted") as uncommitted,
        asking(kafka_broker.bootstrap, group, "read_committed") as committed,
    ):
        commit_offset(producer, partition, group, 1)
        assert uncommitted.committed(partition) is None
        with pytest.raises(KafkaTimeoutError):
            committed.committed(partition, timeout_ms=500)
        producer.commit_transaction()
        assert committed.committed(partition) == 1

        def stale(offset: int) -> bool:
            commit_offset(producer, partition, group, offset)
            producer.commit_transaction()
            return uncommitted.committed(partition) == offset - 1

        assert any(stale(offset) for offset in range(2, COMMITS_MAX))
    producer.close()
    with reading(kafka_broker.bootstrap, hospital) as reader, pytest.raises(IllegalStateError):
        reader._consumer.committed(partition)


def test_library_has_no_groups_of_the_new_protocol(kafka_broker: EmbeddedKafka) -> None:
    """KIP-848: the broker has them, kafka-python 3.0.12 knows no such setting. Where this fails, that has changed."""
    with pytest.raises(KafkaConfigurationError, match="group_protocol"):
        KafkaConsumer(bootstrap_servers=kafka_broker.bootstrap, group_id="other.new", group_protocol="consumer")


def test_reader_has_no_group(kafka_broker: EmbeddedKafka) -> None:
    """Checkpoints lie with the view: no rebalance, no commit that a rebalance could break, no offset that expires."""
    hospital = new_hospital(kafka_broker.bootstrap)
    with KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap) as admin:
        before = admin.list_groups()
        with reading(kafka_broker.bootstrap, hospital) as reader:
            reader.poll(0.3, 10)
            assert reader._consumer.config["group_id"] is None
            assert {str(each) for each in admin.list_groups()} <= {str(each) for each in before}
