"""A topic that would lose events by itself is put right, and it is said."""

import logging
from uuid import uuid4

import pytest
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic

from ledger.embedded.kafka import EmbeddedKafka
from ledger.stream.contract import StreamError
from ledger.stream.kafka.topics_admin import TopicsAdmin
from ledger.stream.kafka.writer import KafkaWriter
from ledger.stream.topics import records_topic
from tests.integration.kafka_traps.sending import batch, new_hospital, plain_producer, positions, values
from tests.said import said_by

SETTINGS = ("retention.ms", "retention.bytes", "cleanup.policy")


def settings_of(bootstrap: str, topic: str) -> list[str]:
    """Retention by time and by size, and what becomes of old records."""
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        asked = [ConfigResource(ConfigResourceType.TOPIC, topic)]
        described = admin.describe_configs(asked, config_filter="all")["topic"][topic]
    return [described[name]["value"] for name in SETTINGS]


@pytest.mark.parametrize(
    "wrong",
    [
        {"retention.ms": "3600000"},
        {"retention.bytes": "1048576"},
        {"cleanup.policy": "compact"},
        {"cleanup.policy": "compact,delete", "retention.ms": "1000"},
    ],
)
def test_topic_that_somebody_else_made_keeps_everything_afterwards(
    kafka_broker: EmbeddedKafka, wrong: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Its name and what was wrong are logged as an error; a second look finds nothing more to do."""
    topic = records_topic(f"t{uuid4().hex[:10]}")
    with KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap) as admin:
        admin.create_topics([NewTopic(topic, num_partitions=1, topic_configs=wrong)])
    with caplog.at_level(logging.ERROR, "ledger"):
        assert TopicsAdmin(kafka_broker.bootstrap).ensure(topic, 1) >= wrong.keys()
    assert settings_of(kafka_broker.bootstrap, topic) == ["-1", "-1", "delete"]
    (said,) = said_by(caplog, "ledger")
    assert getattr(said, "topic", "") == topic
    assert TopicsAdmin(kafka_broker.bootstrap).ensure(topic, 1) == frozenset()


def make_anew(bootstrap: str, topic: str) -> None:
    """Deletes a topic and makes it again, empty."""
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        admin.delete_topics([topic])
    TopicsAdmin(bootstrap).ensure(topic, 1)


def test_library_goes_on_in_a_topic_made_anew(kafka_broker: EmbeddedKafka) -> None:
    """The trap: the transaction behind three lost messages is committed to an empty topic, and nobody is told."""
    hospital = new_hospital(kafka_broker.bootstrap)
    topic = records_topic(hospital)
    producer = plain_producer(kafka_broker.bootstrap, f"other.{hospital}", api_version=(2, 4), metadata_max_age_ms=1000)

    def send(value: bytes) -> int:
        producer.begin_transaction()
        offset = producer.send(topic, value, partition=0).get(10).offset
        producer.commit_transaction()
        return offset

    for number in range(3):
        send(b"%d" % number)
    make_anew(kafka_broker.bootstrap, topic)
    assert send(b"3") == 0
    producer.close()
    assert values(kafka_broker.bootstrap, topic) == [b"3"]


def test_topic_made_anew_under_a_writer_gets_no_event_after_a_hole(kafka_broker: EmbeddedKafka) -> None:
    """An offset that was there before tells it: the transaction is not committed."""
    hospital = new_hospital(kafka_broker.bootstrap)
    topic = records_topic(hospital)
    writer = KafkaWriter(kafka_broker.bootstrap, hospital)
    writer.edges()
    writer.publish(batch(hospital, 1, 5))
    make_anew(kafka_broker.bootstrap, topic)
    with pytest.raises(StreamError):
        writer.publish(batch(hospital, 6, 1))
    successor = KafkaWriter(kafka_broker.bootstrap, hospital)
    assert positions(kafka_broker.bootstrap, hospital) == []
    successor.close()
    writer.close()
