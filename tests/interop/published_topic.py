"""A topic that our publisher wrote, what PostgreSQL says of it, and copies of it with one thing changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256

import psycopg
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from psycopg.sql import SQL, Identifier

from ledger.config import load
from ledger.publisher.role import run_publisher
from ledger.stream.message import Headers
from ledger.stream.partition import partition_of
from ledger.stream.topics import records_topic
from tests.contract.stream.loaded_ledger import LoadedLedger
from tests.eventually import eventually_async
from tests.integration.kafka_traps.sending import plain_producer
from tests.services.sealed import FIXED_KEY

EVENTS = 300
TRACED = 7
_FOREIGN_TYPE = "ledger.v1.NotOfThisRelease"


@dataclass(frozen=True)
class Sent:
    """A message as it stands on the topic."""

    partition: int
    key: bytes
    value: bytes
    headers: Headers

    @property
    def position(self) -> int:
        """Where it says that it belongs."""
        return int(self.header("ce_position"))

    def header(self, name: str) -> str:
        """A header's text."""
        return dict(self.headers)[name].decode()

    def with_header(self, name: str, text: str) -> Sent:
        """The same message with another text in a header."""
        return replace(self, headers=[(each, text.encode() if each == name else value) for each, value in self.headers])


async def publish_with_an_aborted_middle(ledger: LoadedLedger, bootstrap: str) -> None:
    """Events, then what somebody sent and took back, then events again, one with a trace and one of another release."""
    settings = load(
        {
            "LEDGER_POSTGRES_STREAM_URL": ledger.database.role_url("ledger_stream"),
            "LEDGER_STREAM": "kafka",
            "LEDGER_KAFKA_BOOTSTRAP": bootstrap,
        }
    )
    ledger.append(EVENTS)
    ledger.trace(TRACED, f"00-{'ab' * 16}-{'cd' * 8}-01")
    stop, ready = asyncio.Event(), asyncio.Event()
    publishing = asyncio.create_task(run_publisher(settings, FIXED_KEY, stop, ready.set))
    try:
        await _published(ledger)
        await asyncio.to_thread(_send_and_abort, bootstrap, ledger)
        ledger.append_foreign(_FOREIGN_TYPE)
        ledger.append(EVENTS)
        await _published(ledger)
    finally:
        stop.set()
        await publishing


async def _published(ledger: LoadedLedger) -> None:
    noted = lambda: asyncio.to_thread(lambda: ledger.progress() == ledger.head)  # noqa: E731
    await eventually_async(noted, what="all of it published")


def _send_and_abort(bootstrap: str, ledger: LoadedLedger) -> None:
    producer = plain_producer(bootstrap, f"other.{ledger.hospital}")
    producer.begin_transaction()
    for partition in range(ledger.partitions):
        producer.send(records_topic(ledger.hospital), b"never committed", partition=partition).get(10)
    producer.abort_transaction()
    producer.close()


def expected_summary(ledger: LoadedLedger) -> dict[str, object]:
    """What the foreign reader must find, from PostgreSQL's rows alone."""
    query = SQL("SELECT position, stream_id, version, type, envelope, body, leaf_hash FROM {}.events ORDER BY position")
    with psycopg.connect(ledger.database.url) as connection:
        rows = connection.execute(query.format(Identifier(f"h_{ledger.hospital}"))).fetchall()
    last = [0] * ledger.partitions
    types: dict[str, int] = {}
    streams: dict[str, dict[str, object]] = {}
    digest = sha256()
    for position, stream_id, version, kind, envelope, body, leaf in rows:
        last[partition_of(stream_id.bytes, ledger.partitions)] = position
        types[kind] = types.get(kind, 0) + 1
        streams[str(stream_id)] = {"version": version, "leaf": leaf.hex()}
        digest.update(sha256(b"".join(len(part).to_bytes(8, "big") + part for part in (envelope, body))).digest())
    return {
        "partitions": ledger.partitions, "events": len(rows), "last_positions": last, "types": types,
        "streams": streams, "digest": digest.hexdigest(),
    }  # fmt: skip


def sent_on(bootstrap: str, topic: str) -> list[Sent]:
    """Every committed message, in order within each partition."""
    with KafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed", group_id=None) as consumer:
        partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        found: list[Sent] = []
        while any(consumer.position(each) < ends[each] for each in partitions):
            for records in consumer.poll(200).values():
                found += [
                    Sent(each.partition, each.key or b"", each.value or b"", list(each.headers)) for each in records
                ]
        return found


def copy_of(bootstrap: str, name: str, partitions: int, messages: Iterable[Sent]) -> None:
    """A topic of that name with these messages."""
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        admin.create_topics([NewTopic(name, num_partitions=partitions)])
    with KafkaProducer(bootstrap_servers=bootstrap) as producer:
        sends = [
            producer.send(name, each.value, key=each.key, headers=each.headers, partition=each.partition)
            for each in messages
        ]
        for send in sends:
            send.get(10)
