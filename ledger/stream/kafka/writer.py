"""Writes a hospital's events to Kafka: one transaction per batch, exactly once, in order of position.

The protocol (docs/stream.md): initialise, which ends a predecessor's transaction; read from the topic where it stands;
send what follows, await every single future, commit. After any error the producer is thrown away and it begins anew.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from kafka import KafkaProducer
from kafka.errors import KafkaError

from ledger.stream.contract import PublishedEvent
from ledger.stream.kafka.connecting import broker_errors, build
from ledger.stream.kafka.reader import KafkaStreamReader
from ledger.stream.kafka.tail import beheaded, last_places
from ledger.stream.kafka.topic_watch import TopicChanged
from ledger.stream.message import Place, headers_of, value_of
from ledger.stream.topics import records_topic, transfers_topic

_CLOSE_SECONDS = 5.0
PATIENCE_SECONDS = 8.0
"""How long a batch may wait before its transaction is given up and the producer replaced. Short: a producer that has
lost leader and coordinator at once never finds them again, a new one does so in half a second."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event to publish, and the hospitals to whose transfer topics it goes as well."""

    event: PublishedEvent
    recipients: tuple[str, ...] = ()
    refilled: bool = False
    """Whether it was published before and has been lost."""
    to_records: bool = True
    """False: only what went to the recipients has been lost."""


@dataclass(frozen=True, slots=True)
class Edges:
    """What a topic shows of itself."""

    last: tuple[Place | None, ...]
    """The last event of every partition; None where it holds none."""
    beheaded: tuple[int, ...]
    """Partitions whose first events were deleted."""


class KafkaWriter:
    """The one writer of a hospital's topic. Every call blocks; none is made twice at once."""

    def __init__(self, bootstrap: str, hospital: str, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Fences whoever wrote before. Raises StreamUnavailable."""
        self._bootstrap = bootstrap
        self._topic = records_topic(hospital)
        self._patience_seconds = patience_seconds
        self._written: dict[tuple[str, int], int] = {}
        patience_ms = int(patience_seconds * 1000)
        with broker_errors(f"starting the producer of {hospital}"):
            self._producer = build(
                KafkaProducer,
                bootstrap,
                transactional_id=f"ledger.publisher.{hospital}",
                # With the newer protocol a fenced predecessor can abort the successor's transaction.
                api_version=(2, 4),
                batch_size=262_144,
                linger_ms=5,
                request_timeout_ms=patience_ms * 2 // 5,
                delivery_timeout_ms=patience_ms,
                max_request_size=1_048_576,
                max_block_ms=patience_ms,
                allow_auto_create_topics=False,
            )
            try:
                self._producer.init_transactions()
            except BaseException:
                # Without this its thread and connections would live on, one more with every attempt.
                end_producer(self._producer, 0)
                raise

    def edges(self) -> Edges:
        """First and last events of the topic, now that no transaction is undecided."""
        reader = KafkaStreamReader(self._bootstrap, self._topic)
        try:
            self._written = {(self._topic, number): end - 1 for number, end in enumerate(reader.ends())}
            return Edges(tuple(last_places(reader)), tuple(beheaded(reader)))
        finally:
            reader.close()

    def publish(self, batch: Sequence[Outgoing]) -> None:
        """Publishes events in order, all of them or none. Raises StreamUnavailable, MessageTooLarge, TopicChanged."""
        values = [value_of(each.event) for each in batch]
        with broker_errors(f"publishing to {self._topic}"), _first_error(self._producer):
            self._producer.begin_transaction()
            futures = [
                self._producer.send(
                    topic,
                    value,
                    key=each.event.stream_id.bytes,
                    headers=headers_of(each.event, refilled=each.refilled),
                    partition=partition,
                )
                for each, value in zip(batch, values, strict=True)
                for topic, partition in self._targets(each)
            ]
            self._producer.flush(self._patience_seconds * 2)
            # A batch that expired inside the transaction is dropped, and the commit would succeed all the same.
            for future in futures:
                written = future.get(self._patience_seconds)
                self._grow((written.topic, written.partition), written.offset)
            self._producer.commit_transaction()

    def _grow(self, where: tuple[str, int], offset: int) -> None:
        """An offset that was there before means that the topic is another one."""
        if offset <= self._written.get(where, -1):
            raise TopicChanged(where[0])
        self._written[where] = offset

    def _targets(self, outgoing: Outgoing) -> list[tuple[str, int]]:
        records = [(self._topic, outgoing.event.partition)] if outgoing.to_records else []
        return records + [(transfers_topic(recipient), 0) for recipient in outgoing.recipients]

    def close(self) -> None:
        """Ends the producer; what was not committed is aborted by the successor."""
        with broker_errors(f"closing the producer of {self._topic}"):
            end_producer(self._producer, _CLOSE_SECONDS)


@contextmanager
def _first_error(producer: KafkaProducer) -> Generator[None]:
    """A producer that has failed, because it was fenced for example, answers later calls with a bare KafkaError."""
    try:
        yield
    except KafkaError as error:
        manager = producer._transaction_manager  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        first = None if manager is None else manager.last_error
        if type(error) is KafkaError and isinstance(first, KafkaError):
            raise first from error
        raise


def end_producer(producer: KafkaProducer, seconds_max: float) -> None:
    """Closes a producer. Raises the library's error where it had something left, but its thread ends in any case."""
    try:
        producer.close(seconds_max)
    except BaseException:
        # close() flushes first, and gives up with its thread still running where that fails.
        producer._sender.force_close()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        raise
