"""The published stream before a client and a program that know of it only what docs/stream.md and formats.md say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest

from ledger.api.v1.events_pb2 import PublishedEvent
from ledger.embedded.kafka import EmbeddedKafka
from ledger.embedded.postgres import EmbeddedPostgres
from ledger.stream.topics import records_topic
from ledger.trust.envelope import decode, encode
from tests.contract.stream.loaded_ledger import ORIGIN_PREFIX, LoadedLedger
from tests.interop.conftest import Interop
from tests.interop.published_topic import Sent, copy_of, expected_summary, publish_with_an_aborted_middle, sent_on
from tests.services.postgres import Database, create_database
from tests.services.template import migrate_database

PARTITIONS = 5
pytestmark = pytest.mark.timeout(300)  # the first build compiles the Go modules


@dataclass(frozen=True)
class Published:
    """A hospital's ledger and what our publisher made of it."""

    ledger: LoadedLedger
    bootstrap: str
    messages: list[Sent]

    @property
    def origin(self) -> str:
        """The name of the ledger, which a reader knows."""
        return f"{ORIGIN_PREFIX}/{self.ledger.hospital}/1"

    @property
    def victim(self) -> Sent:
        """A message from the middle that has one before and one behind it in its record and in its partition."""
        return next(each for each in self.messages[20:] if each in self._record_of(each)[1:-1])

    def _record_of(self, sent: Sent) -> list[Sent]:
        return [each for each in self.messages if each.key == sent.key]


@pytest.fixture(scope="module")
def published(postgres_server: EmbeddedPostgres, template_database: str, kafka_broker: EmbeddedKafka) -> Published:
    """A real topic. It lies in a database of this module, which goes with the server."""
    name = "interop_stream"
    create_database(postgres_server, name, template_database)
    migrate_database(postgres_server.url(name))
    ledger = asyncio.run(_published_ledger(Database(name, postgres_server.url(name), postgres_server), kafka_broker))
    messages = sent_on(kafka_broker.bootstrap, records_topic(ledger.hospital))
    return Published(ledger, kafka_broker.bootstrap, messages)


async def _published_ledger(database: Database, broker: EmbeddedKafka) -> LoadedLedger:
    ledger = await LoadedLedger.add(database, f"h{uuid4().hex[:8]}", PARTITIONS)
    await publish_with_an_aborted_middle(ledger, broker.bootstrap)
    return ledger


def test_foreign_client_reads_and_checks_all_that_postgresql_holds(interop: Interop, published: Published) -> None:
    """Keys, partitions, headers, chains and digests hold for franz-go, it sees nothing that was not committed, and what
    it counted, its digest over all bytes and its last leaf of every record are those of the ledger."""
    read = interop("stream", published.bootstrap, records_topic(published.ledger.hospital), published.origin)
    assert (read.returncode, read.stderr) == (0, "")
    assert json.loads(read.stdout) == expected_summary(published.ledger)


def flipped(data: bytes, at: int) -> bytes:
    """One byte changed."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def key_changed(sent: Sent) -> list[Sent]:
    """One byte of the key."""
    return [replace(sent, key=flipped(sent.key, 3))]


def body_changed(sent: Sent) -> list[Sent]:
    """One byte of the body."""
    return [replace(sent, value=flipped(sent.value, len(sent.value) - 1))]


def value_changed(sent: Sent) -> list[Sent]:
    """One byte of the value's first tag."""
    return [replace(sent, value=flipped(sent.value, 0))]


def commitment_changed(sent: Sent) -> list[Sent]:
    """One byte of an envelope, which stays an envelope: only the next event of the record tells."""
    event = PublishedEvent.FromString(sent.value)
    envelope = decode(event.envelope)
    event.envelope = encode(replace(envelope, commitment=flipped(envelope.commitment, 5)))
    return [replace(sent, value=event.SerializeToString())]


def format_padded(sent: Sent) -> list[Sent]:
    """The same envelope for a lenient reader of protobuf: its first varint in two bytes."""
    event = PublishedEvent.FromString(sent.value)
    event.envelope = event.envelope[:1] + b"\x81\x00" + event.envelope[2:]
    return [replace(sent, value=event.SerializeToString())]


def time_changed(sent: Sent) -> list[Sent]:
    """One digit of a header."""
    return [sent.with_header("ce_time", sent.header("ce_time").replace("20", "21", 1))]


def left_out(sent: Sent) -> list[Sent]:
    """No message at all."""
    del sent
    return []


def doubled(sent: Sent) -> list[Sent]:
    """The message twice."""
    return [sent, sent]


def moved(sent: Sent) -> list[Sent]:
    """Another partition than its key's."""
    return [replace(sent, partition=(sent.partition + 1) % PARTITIONS)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (key_changed, "the key is not the stream id"),
        (body_changed, "body_sha256 is not the body's"),
        (value_changed, "PublishedEvent: "),
        (format_padded, "envelope: a varint"),
        (time_changed, 'ce_time is "21'),
        (doubled, "comes twice"),
        (moved, "the key belongs to partition"),
    ],
)
def test_one_changed_message_is_named(
    interop: Interop, published: Published, change: Callable[[Sent], list[Sent]], said: str
) -> None:
    """The checks can fail: in a copy of the topic one message is another, and it is named with what is wrong."""
    faults = faults_of_copy(interop, published, change)
    assert any(f"position {published.victim.position}: {said}" in each for each in faults), faults


def test_changed_envelope_is_named_by_the_next_event_of_its_record(interop: Interop, published: Published) -> None:
    """Its commitment is nowhere else: `prev_leaf` of the event behind it tells, and the version is named."""
    faults = faults_of_copy(interop, published, commitment_changed)
    version = published.victim.header("ce_recordversion")
    (said,) = faults
    assert f"prev_leaf is not the leaf of version {version} of stream {published.victim.header('ce_subject')}" in said


def test_missing_message_is_named_by_what_stands_behind_it(interop: Interop, published: Published) -> None:
    """By the next of its partition, by the next of its record, and by its position over all partitions."""
    faults = faults_of_copy(interop, published, left_out)
    assert [each for each in faults if "ce_prevposition is" in each]
    assert [each for each in faults if "prev_leaf is not" in each]
    assert f"position {published.victim.position} is missing" in faults


def faults_of_copy(interop: Interop, published: Published, change: Callable[[Sent], list[Sent]]) -> list[str]:
    """What the foreign reader says of a copy in which one message was changed."""
    topic = f"copy.{uuid4().hex[:12]}"
    copied = [copy for each in published.messages for copy in (change(each) if each is published.victim else [each])]
    copy_of(published.bootstrap, topic, PARTITIONS, copied)
    read = interop("stream", published.bootstrap, topic, published.origin)
    *faults, verdict = read.stderr.splitlines()
    assert (read.returncode, read.stdout) == (1, "")
    assert verdict == "interop: the topic is not what docs/stream.md promises"
    return faults
