"""The traps of writing: each is shown as the library has it, then how the product steps around it."""

# pyright: reportPrivateUsage=false
# A trap is laid with the product's own producer in the middle of its work.

import contextlib
import os
import signal
import threading
from collections.abc import Generator

import pytest
from kafka import KafkaProducer
from kafka.errors import KafkaError

from ledger.embedded.kafka import EmbeddedKafka
from ledger.stream.contract import MessageTooLarge, StreamUnavailable
from ledger.stream.kafka.writer import KafkaWriter, Outgoing, end_producer
from ledger.stream.message import MESSAGE_BYTES_MAX
from ledger.stream.topics import records_topic
from tests.eventually import eventually
from tests.integration.kafka_traps.sending import (
    batch,
    event,
    last_positions,
    new_hospital,
    plain_producer,
    positions,
    values,
)

SHORT_SECONDS = 4.0
"""Long enough for a broker that answers on a busy machine; what is to fail waits as long."""


@contextlib.contextmanager
def frozen(broker: EmbeddedKafka) -> Generator[None]:
    """The broker's process stands still while the block runs: connections stay open, nothing answers."""
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(broker.pid, signal.SIGCONT)


@pytest.mark.long
def test_library_commits_a_transaction_whose_batch_has_expired(own_kafka: EmbeddedKafka) -> None:
    """The trap: the send failed for good, commit_transaction() says nothing, and the message is not there."""
    hospital = new_hospital(own_kafka.bootstrap)
    limits = {"delivery_timeout_ms": 4000, "request_timeout_ms": 2500, "metadata_max_age_ms": 1000}
    producer = plain_producer(own_kafka.bootstrap, hospital, api_version=(2, 4), **limits)
    producer.begin_transaction()
    producer.send(records_topic(hospital), b"first", partition=0).get(10)
    own_kafka.kill9()
    try:
        lost = producer.send(records_topic(hospital), b"second", partition=0)
        eventually(lambda: lost.exception is not None, what="the batch expires")
    finally:
        own_kafka.start()
    producer.commit_transaction()
    producer.close(0)
    assert lost.failed()
    assert values(own_kafka.bootstrap, records_topic(hospital)) == [b"first"]


def test_writer_raises_where_a_batch_expires_and_its_successor_goes_on(own_kafka: EmbeddedKafka) -> None:
    """Every future is got before the commit; the writer is thrown away; the next one finds nothing of that batch."""
    hospital = new_hospital(own_kafka.bootstrap)
    writer = KafkaWriter(own_kafka.bootstrap, hospital, patience_seconds=SHORT_SECONDS)
    writer.publish(batch(hospital, 1, 10))
    with frozen(own_kafka), pytest.raises(StreamUnavailable):
        writer.publish(batch(hospital, 11, 10))
    with contextlib.suppress(StreamUnavailable):  # the library's close() may raise after such a failure
        writer.close()
    successor = KafkaWriter(own_kafka.bootstrap, hospital)
    (last,) = last_positions(successor)
    assert last in (10, 20)
    successor.publish(batch(hospital, last + 1, 10))
    successor.close()
    assert positions(own_kafka.bootstrap, hospital) == list(range(1, last + 11))


def test_library_is_done_for_after_one_message_too_large(kafka_broker: EmbeddedKafka) -> None:
    """The trap: the broker refuses one message, and the same producer can never commit again."""
    hospital = new_hospital(kafka_broker.bootstrap)
    topic = records_topic(hospital)
    producer = plain_producer(kafka_broker.bootstrap, f"fatal.{hospital}", api_version=(2, 4), max_request_size=2**22)
    producer.begin_transaction()
    with pytest.raises(KafkaError):
        producer.send(topic, os.urandom(2**21), partition=0).get(10)

    def go_on() -> None:
        producer.abort_transaction()
        producer.begin_transaction()
        producer.send(topic, b"next", partition=0).get(10)
        producer.commit_transaction()

    with pytest.raises((KafkaError, RuntimeError, AssertionError)):
        go_on()
    with contextlib.suppress(Exception):
        end_producer(producer, 0)
    assert values(kafka_broker.bootstrap, topic) == []


@pytest.mark.long
def test_library_never_sends_again_after_an_expired_retry(own_kafka: EmbeddedKafka) -> None:
    """The trap: the broker is back, and the idempotent producer still fails."""
    hospital = new_hospital(own_kafka.bootstrap)
    topic = records_topic(hospital)
    limits = {"delivery_timeout_ms": 4000, "request_timeout_ms": 2500, "metadata_max_age_ms": 1000}
    producer = KafkaProducer(
        bootstrap_servers=own_kafka.bootstrap, enable_idempotence=True, max_block_ms=6000, **limits
    )
    producer.send(topic, b"first", partition=0).get(10)
    with frozen(own_kafka):
        lost = producer.send(topic, b"second", partition=0)
        eventually(lambda: lost.exception is not None, what="the batch expires")
    with pytest.raises(KafkaError):
        producer.send(topic, b"third", partition=0).get(10)
    with contextlib.suppress(Exception):
        end_producer(producer, 0)


def test_library_leaves_its_thread_where_close_fails(own_kafka: EmbeddedKafka) -> None:
    """The trap: close() raises because what was sent cannot be flushed, and the sender runs on for ever."""
    hospital = new_hospital(own_kafka.bootstrap)
    before = {thread.ident for thread in threading.enumerate()}
    producer = plain_producer(own_kafka.bootstrap, f"other.{hospital}", api_version=(2, 4))
    producer.begin_transaction()
    producer.send(records_topic(hospital), b"first", partition=0).get(10)
    with frozen(own_kafka):
        producer.send(records_topic(hospital), b"second", partition=0)
        with pytest.raises(KafkaError):
            producer.close(0.5)
    left = [each for each in threading.enumerate() if each.ident not in before and "producer" in each.name]
    assert [each.is_alive() for each in left] == [True]
    producer._sender.force_close()
    left[0].join(20)
    assert not left[0].is_alive()


def test_close_that_fails_leaves_no_thread(own_kafka: EmbeddedKafka) -> None:
    """The product ends the sender by force."""
    hospital = new_hospital(own_kafka.bootstrap)
    before = {thread.ident for thread in threading.enumerate()}
    writer = KafkaWriter(own_kafka.bootstrap, hospital, patience_seconds=SHORT_SECONDS)
    writer.publish(batch(hospital, 1, 10))
    with frozen(own_kafka):
        with pytest.raises(StreamUnavailable):
            writer.publish(batch(hospital, 11, 10))
        with contextlib.suppress(StreamUnavailable):
            writer.close()

    def left() -> list[str]:
        return [each.name for each in threading.enumerate() if each.ident not in before and "kafka" in each.name]

    eventually(lambda: not left(), what="the threads end")


def test_event_too_large_for_a_message_is_refused_before_it_is_sent(kafka_broker: EmbeddedKafka) -> None:
    """The producer lives on: nothing of the batch was sent, and the next transaction works."""
    hospital = new_hospital(kafka_broker.bootstrap)
    writer = KafkaWriter(kafka_broker.bootstrap, hospital)
    too_large = Outgoing(event(2, hospital=hospital, body=bytes(MESSAGE_BYTES_MAX)))
    with pytest.raises(MessageTooLarge):
        writer.publish([*batch(hospital, 1, 1), too_large])
    writer.publish(batch(hospital, 1, 2))
    writer.close()
    assert positions(kafka_broker.bootstrap, hospital) == [1, 2]


def test_largest_event_fits(kafka_broker: EmbeddedKafka) -> None:
    """A body of the ledger's own limit passes the broker's default limit, with a margin for headers."""
    hospital = new_hospital(kafka_broker.bootstrap)
    writer = KafkaWriter(kafka_broker.bootstrap, hospital)
    writer.publish([Outgoing(event(1, hospital=hospital, body=os.urandom(MESSAGE_BYTES_MAX - 300)))])
    writer.close()
    assert positions(kafka_broker.bootstrap, hospital) == [1]


# What the library does by itself depends on how fast the broker notices: shown by `make test-long`.
@pytest.mark.parametrize("api_version", [pytest.param(None, marks=pytest.mark.long), (2, 4)])
def test_zombie_with_an_open_transaction_spoils_its_successors_but_with_the_older_protocol(
    kafka_broker: EmbeddedKafka, api_version: tuple[int, int] | None
) -> None:
    """The trap: it goes on sending, and with the library's own protocol its successor's transaction is aborted and can
    never be committed. With the one that we chose the zombie alone fails."""
    hospital = new_hospital(kafka_broker.bootstrap)
    topic, settings = records_topic(hospital), {} if api_version is None else {"api_version": api_version}
    zombie = plain_producer(kafka_broker.bootstrap, f"other.{hospital}", **settings)
    zombie.begin_transaction()
    zombie.send(topic, b"of the zombie", partition=0).get(10)
    successor = plain_producer(kafka_broker.bootstrap, f"other.{hospital}", **settings)
    successor.begin_transaction()
    successor.send(topic, b"first", partition=0).get(10)
    with pytest.raises(KafkaError):
        zombie.send(topic, b"of the zombie", partition=0).get(10)
    with contextlib.suppress(KafkaError):
        zombie.abort_transaction()

    def go_on() -> bool:
        successor.send(topic, b"second", partition=0).get(10)
        successor.commit_transaction()
        return True

    if api_version is None:
        with pytest.raises(KafkaError):
            go_on()
    else:
        assert go_on()
    for each in (zombie, successor):
        with contextlib.suppress(Exception):
            end_producer(each, 0)
    assert values(kafka_broker.bootstrap, topic) == ([] if api_version is None else [b"first", b"second"])


def test_zombie_dies_and_its_successor_goes_on(kafka_broker: EmbeddedKafka) -> None:
    """A predecessor that sends during its successor's transaction is fenced; the transaction is committed whole."""
    hospital = new_hospital(kafka_broker.bootstrap)
    zombie = KafkaWriter(kafka_broker.bootstrap, hospital)
    zombie.publish(batch(hospital, 1, 5))
    successor = KafkaWriter(kafka_broker.bootstrap, hospital)
    sending = threading.Event()
    outcome: list[BaseException | None] = []

    def wake_zombie() -> None:
        sending.wait(40)
        try:
            zombie.publish(batch(hospital, 6, 5))
        except StreamUnavailable as error:
            outcome.append(error)

    thread = threading.Thread(target=wake_zombie)
    thread.start()
    successor._producer.begin_transaction()
    successor._producer.send(records_topic(hospital), b"", partition=0).get(10)
    sending.set()
    thread.join(60)
    successor._producer.abort_transaction()
    successor.publish(batch(hospital, 6, 5))
    assert positions(kafka_broker.bootstrap, hospital) == list(range(1, 11))
    assert "taken over" in str(outcome[0])
    successor.close()
    with contextlib.suppress(StreamUnavailable):
        zombie.close()


def test_fenced_writer_says_so_also_where_it_learns_of_it_between_two_sends(kafka_broker: EmbeddedKafka) -> None:
    """The trap: the library answers the next send with a bare KafkaError that names nobody. A batch so large that the
    fence is met while it is sent is refused all the same as what it is."""
    hospital = new_hospital(kafka_broker.bootstrap)
    zombie = KafkaWriter(kafka_broker.bootstrap, hospital)
    zombie.publish(batch(hospital, 1, 5))
    KafkaWriter(kafka_broker.bootstrap, hospital).close()
    zombie._producer.begin_transaction()
    zombie._producer.send(records_topic(hospital), b"", partition=0)
    manager = zombie._producer._transaction_manager
    assert manager is not None
    eventually(manager.has_error, what="the fence is met")
    with pytest.raises(KafkaError) as raised:
        zombie._producer.send(records_topic(hospital), b"", partition=0)
    assert type(raised.value) is KafkaError
    with pytest.raises(StreamUnavailable, match="taken over"):
        zombie.publish(batch(hospital, 6, 5))
    with contextlib.suppress(StreamUnavailable):
        zombie.close()


def test_transaction_of_a_dead_writer_is_aborted_by_its_successor(kafka_broker: EmbeddedKafka) -> None:
    """What was sent but not committed is never seen; the resume position is read after init_transactions()."""
    hospital = new_hospital(kafka_broker.bootstrap)
    dead = KafkaWriter(kafka_broker.bootstrap, hospital)
    dead.publish(batch(hospital, 1, 3))
    dead._producer.begin_transaction()
    dead._producer.send(records_topic(hospital), b"half", partition=0).get(10)
    successor = KafkaWriter(kafka_broker.bootstrap, hospital)
    assert last_positions(successor) == [3]
    successor.publish(batch(hospital, 4, 1))
    successor.close()
    assert positions(kafka_broker.bootstrap, hospital) == [1, 2, 3, 4]
    with contextlib.suppress(StreamUnavailable):
        dead.close()


def test_tail_is_found_behind_thousands_of_aborted_messages(kafka_broker: EmbeddedKafka) -> None:
    """The window before the end widens where it holds only markers and aborted batches."""
    hospital = new_hospital(kafka_broker.bootstrap)
    writer = KafkaWriter(kafka_broker.bootstrap, hospital)
    writer.publish(batch(hospital, 1, 3))
    writer._producer.begin_transaction()
    for _ in range(3000):
        writer._producer.send(records_topic(hospital), b"aborted", partition=0)
    writer._producer.flush(20)
    writer._producer.abort_transaction()
    assert last_positions(writer) == [3]
    writer.close()
