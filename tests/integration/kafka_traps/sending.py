"""Events to send without a ledger, and a look at what is on a topic."""

from collections.abc import Sequence
from hashlib import sha256
from time import time_ns
from uuid import UUID, uuid4

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from ledger.stream.contract import PublishedEvent
from ledger.stream.kafka.reader import KafkaStreamReader
from ledger.stream.kafka.topics_admin import TopicsAdmin
from ledger.stream.kafka.writer import KafkaWriter, Outgoing
from ledger.stream.topics import records_topic
from ledger.trust.envelope import FORMAT, Envelope, encode


def event(position: int, *, hospital: str = "north", body: bytes = b"body", prev: int | None = None) -> PublishedEvent:
    """The first event of a new record, for partition 0."""
    stream_id, at = uuid4(), time_ns() // 1000
    envelope = Envelope(
        format=FORMAT,
        origin=f"ledger.test/{hospital}/1",
        stream_id=stream_id.bytes,
        stream_version=1,
        type="ledger.v1.EntryRecorded",
        recorded_at=at,
        actor=b"\x07" * 16,
        key_id=b"",
        body_sha256=sha256(body).digest(),
        commitment=b"",
        prev_leaf=b"",
    )
    return PublishedEvent(
        hospital=hospital,
        origin=envelope.origin,
        position=position,
        stream_id=UUID(bytes=envelope.stream_id),
        version=1,
        type=envelope.type,
        recorded_at=at,
        envelope=encode(envelope),
        body=body,
        partition=0,
        prev_position=position - 1 if prev is None else prev,
        next_offset=0,
    )


def batch(hospital: str, first: int, count: int) -> list[Outgoing]:
    """Positions first, first + 1, ..."""
    return [Outgoing(event(position, hospital=hospital)) for position in range(first, first + count)]


def new_hospital(bootstrap: str) -> str:
    """A hospital of this test alone, with a topic of one partition."""
    hospital = f"t{uuid4().hex[:10]}"
    TopicsAdmin(bootstrap).ensure(records_topic(hospital), 1)
    return hospital


def last_positions(writer: KafkaWriter) -> list[int]:
    """The last position in every partition; 0 where there is none."""
    return [place.position if place else 0 for place in writer.edges().last]


def positions(bootstrap: str, hospital: str) -> list[int]:
    """The positions that a reader sees."""
    reader = KafkaStreamReader(bootstrap, records_topic(hospital))
    try:
        return [each.position for each in _all(reader)]
    finally:
        reader.close()


def _all(reader: KafkaStreamReader) -> Sequence[PublishedEvent]:
    found: list[PublishedEvent] = []
    end = reader.end(0)
    reader.seek(0, 0)
    while reader.position(0) < end:
        found += reader.poll(0.2, 2000)
    return found


def plain_producer(bootstrap: str, transactional_id: str, **settings: object) -> KafkaProducer:
    """A producer as the library makes it, in a transaction's first state."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, transactional_id=transactional_id, **settings)
    producer.init_transactions()
    return producer


def values(bootstrap: str, topic: str) -> list[bytes | None]:
    """The committed messages of partition 0, as bytes."""
    partition = TopicPartition(topic, 0)
    with KafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed", group_id=None) as consumer:
        consumer.assign([partition])
        consumer.seek_to_beginning(partition)
        (end,) = consumer.end_offsets([partition]).values()
        found: list[bytes | None] = []
        while consumer.position(partition) < end:
            found += [record.value for records in consumer.poll(200).values() for record in records]
        return found
