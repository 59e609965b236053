"""The traps of reading and of connecting."""

# pyright: reportPrivateUsage=false
# A trap is laid with the product's own producer in the middle of its work.

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
)
from kafka.errors import KafkaError

from ledger.embedded.kafka import EmbeddedKafka
from ledger.embedded.ports import free_port
from ledger.stream.contract import MalformedMessage, StreamUnavailable
from ledger.stream.kafka.connecting import build
from ledger.stream.kafka.reader import KafkaStreamReader
from ledger.stream.kafka.topics_admin import TopicsAdmin
from ledger.stream.kafka.writer import KafkaWriter
from ledger.stream.topics import records_topic
from tests.eventually import eventually
from tests.integration.kafka_traps.sending import batch, new_hospital, plain_producer
from tests.integration.kafka_traps.test_topics import settings_of

LIBRARY_ALONE = """
import sys, threading
from kafka import KafkaAdminClient
from kafka.errors import KafkaError
try:
    KafkaAdminClient(bootstrap_servers=sys.argv[1], bootstrap_timeout_ms=500)
except KafkaError:
    print(*(each.name for each in threading.enumerate() if each is not threading.main_thread()))
"""
"""In a process of its own, which ends with what it leaves behind."""


@pytest.fixture(scope="module")
def guarded_kafka(services_folder: Path, kafka_jars: Path) -> Iterator[EmbeddedKafka]:
    """A broker that checks rights."""
    settings = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "true",
    }
    with EmbeddedKafka(services_folder / f"kafka-{uuid4().hex[:6]}", cache=kafka_jars, settings=settings) as broker:
        yield broker


def refuse(broker: EmbeddedKafka, topic: str, operation: ACLOperation) -> None:
    pattern = ResourcePattern(ResourceType.TOPIC, topic)
    rules = [ACL("User:*", "*", operation, ACLPermissionType.DENY, pattern)]
    if operation is ACLOperation.READ:
        rules.append(ACL("User:*", "*", ACLOperation.DESCRIBE, ACLPermissionType.ALLOW, pattern))
    with KafkaAdminClient(bootstrap_servers=broker.bootstrap) as admin:
        assert not admin.create_acls(rules)["failed"]


@pytest.mark.parametrize(
    ("operation", "said"), [(ACLOperation.READ, "no READ right"), (ACLOperation.DESCRIBE, "no DESCRIBE right")]
)
def test_missing_right_is_said_at_start_and_not_taken_for_emptiness(
    guarded_kafka: EmbeddedKafka, operation: ACLOperation, said: str
) -> None:
    """A reader without the right is refused when it is opened."""
    hospital = new_hospital(guarded_kafka.bootstrap)
    refuse(guarded_kafka, records_topic(hospital), operation)

    def refusal() -> str:
        try:
            KafkaStreamReader(guarded_kafka.bootstrap, records_topic(hospital)).close()
        except StreamUnavailable as error:
            return str(error)
        return ""

    assert said in eventually(refusal, what="the refusal")


def test_library_takes_a_missing_right_for_emptiness(guarded_kafka: EmbeddedKafka) -> None:
    """The trap: there is a message, the right to see the topic is missing, and poll() gives nothing and no error."""
    hospital = new_hospital(guarded_kafka.bootstrap)
    partition = TopicPartition(records_topic(hospital), 0)
    producer = plain_producer(guarded_kafka.bootstrap, f"other.{hospital}")
    producer.begin_transaction()
    producer.send(partition.topic, b"there", partition=0).get(10)
    producer.commit_transaction()
    producer.close()
    refuse(guarded_kafka, partition.topic, ACLOperation.DESCRIBE)
    with KafkaConsumer(bootstrap_servers=guarded_kafka.bootstrap, group_id=None) as consumer:
        eventually(lambda: not consumer.partitions_for_topic(partition.topic), what="the right is gone")
        consumer.assign([partition])
        assert [consumer.poll(200) for _ in range(5)] == [{}] * 5


def test_topic_whose_settings_must_not_be_read_is_not_taken_for_right(guarded_kafka: EmbeddedKafka) -> None:
    """The library answers without settings and without an error."""
    hospital = new_hospital(guarded_kafka.bootstrap)
    refuse(guarded_kafka, records_topic(hospital), ACLOperation.DESCRIBE_CONFIGS)

    def refusal() -> str:
        try:
            TopicsAdmin(guarded_kafka.bootstrap).ensure(records_topic(hospital), 1)
        except StreamUnavailable as error:
            return str(error)
        return ""

    assert "no DESCRIBE_CONFIGS right" in eventually(refusal, what="the refusal")


@pytest.mark.usefixtures("hurried")
def test_unreachable_broker_names_the_likely_causes() -> None:
    """The library says only that it could not bootstrap."""
    with pytest.raises(StreamUnavailable) as raised:
        KafkaStreamReader(f"127.0.0.1:{free_port()}", "ledger.records.north")
    for cause in ("does not run", "wrong user or password", "TLS"):
        assert cause in str(raised.value)


@pytest.mark.usefixtures("hurried")
def test_client_that_cannot_be_built_leaves_no_thread() -> None:
    """The trap: the library leaves its thread running, one more with every attempt while the broker is away."""
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-c", LIBRARY_ALONE, address]
    alone = subprocess.run(command, text=True, capture_output=True, timeout=60, check=True)
    assert "kafka" in alone.stdout
    before = {thread.ident for thread in threading.enumerate()}
    with pytest.raises(KafkaError):
        build(KafkaAdminClient, f"127.0.0.1:{free_port()}")
    with pytest.raises(StreamUnavailable):
        KafkaWriter(f"127.0.0.1:{free_port()}", "north", patience_seconds=1.0)

    def left() -> list[str]:
        new = [thread.name for thread in threading.enumerate() if thread.ident not in before]
        return [name for name in new if name.startswith("kafka")]

    eventually(lambda: not left(), what="the threads end")


def test_topic_that_is_not_there_is_said(kafka_broker: EmbeddedKafka) -> None:
    """And it is not made by asking for it."""
    with pytest.raises(StreamUnavailable, match="not made yet"):
        KafkaStreamReader(kafka_broker.bootstrap, f"ledger.records.n{uuid4().hex[:6]}")


def test_library_hands_out_what_is_not_committed(kafka_broker: EmbeddedKafka) -> None:
    """The trap: without a word about isolation a consumer is given what may yet be aborted."""
    hospital = new_hospital(kafka_broker.bootstrap)
    producer = plain_producer(kafka_broker.bootstrap, f"other.{hospital}")
    producer.begin_transaction()
    producer.send(records_topic(hospital), b"undecided", partition=0).get(10)
    settings = {"bootstrap_servers": kafka_broker.bootstrap, "group_id": None, "auto_offset_reset": "earliest"}
    with KafkaConsumer(**settings) as consumer:
        consumer.assign([TopicPartition(records_topic(hospital), 0)])
        found = eventually(lambda: [each.value for records in consumer.poll(200).values() for each in records])
    assert found == [b"undecided"]
    producer.abort_transaction()
    producer.close()


def test_undecided_and_aborted_transactions_are_never_seen(kafka_broker: EmbeddedKafka) -> None:
    """The end is the last stable offset; the reader steps over what was aborted."""
    hospital = new_hospital(kafka_broker.bootstrap)
    writer = KafkaWriter(kafka_broker.bootstrap, hospital)
    writer.publish(batch(hospital, 1, 2))
    reader = KafkaStreamReader(kafka_broker.bootstrap, records_topic(hospital))
    reader.seek(0, 0)
    assert [each.position for each in eventually(lambda: reader.poll(0.5, 10))] == [1, 2]
    end = reader.end(0)
    writer._producer.begin_transaction()
    writer._producer.send(records_topic(hospital), b"undecided", partition=0).get(10)
    assert reader.poll(0.5, 10) == []
    assert reader.end(0) == end
    writer._producer.abort_transaction()
    assert reader.poll(0.5, 10) == []
    writer.publish(batch(hospital, 3, 1))
    assert [each.position for each in eventually(lambda: reader.poll(0.5, 10))] == [3]
    writer.close()
    reader.close()


def test_message_that_no_ledger_wrote_is_a_typed_fault(kafka_broker: EmbeddedKafka) -> None:
    """It names partition and offset, so that a reader can put it aside."""
    hospital = new_hospital(kafka_broker.bootstrap)
    producer = plain_producer(kafka_broker.bootstrap, f"other.{hospital}")
    producer.begin_transaction()
    producer.send(records_topic(hospital), b"\xff not ours", partition=0).get(10)
    producer.commit_transaction()
    producer.close()
    reader = KafkaStreamReader(kafka_broker.bootstrap, records_topic(hospital))
    reader.seek(0, 0)
    with pytest.raises(MalformedMessage) as raised:
        eventually(lambda: reader.poll(0.5, 10))
    assert (raised.value.partition, raised.value.offset) == (0, 0)
    reader.close()


def test_topic_keeps_everything(kafka_broker: EmbeddedKafka) -> None:
    """The resume position is read from the topic's tail, so the tail must survive retention."""
    hospital = new_hospital(kafka_broker.bootstrap)
    topic = records_topic(hospital)
    first = TopicsAdmin(kafka_broker.bootstrap).topic_id(topic)
    TopicsAdmin(kafka_broker.bootstrap).ensure(topic, 1)
    assert TopicsAdmin(kafka_broker.bootstrap).topic_id(topic) == first
    assert settings_of(kafka_broker.bootstrap, topic) == ["-1", "-1", "delete"]
