"""Reads a topic: committed messages only, partitions assigned by hand, no consumer group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kafka import KafkaConsumer, TopicPartition

from ledger.stream.contract import MalformedMessage, PublishedEvent, StreamUnavailable
from ledger.stream.kafka.connecting import broker_errors, build
from ledger.stream.kafka.topics_admin import TopicsAdmin
from ledger.stream.message import Message, read_message


class KafkaStreamReader:
    """A StreamReader over one topic. Checkpoints lie with whoever reads, never in Kafka."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        """Raises StreamUnavailable where the topic cannot be read."""
        self._topic = topic
        self._topic_id = TopicsAdmin(bootstrap).topic_id(topic)
        with broker_errors(f"reading topic {topic}"):
            self._consumer = build(
                KafkaConsumer,
                bootstrap,
                isolation_level="read_committed",
                enable_auto_commit=False,
                group_id=None,
                # Where records were deleted below us, go on with what is left: the next event names its predecessor,
                # so whatever is missing is found.
                auto_offset_reset="earliest",
                fetch_max_wait_ms=100,
                allow_auto_create_topics=False,
            )
            try:
                found = self._consumer.partitions_for_topic(topic)
            except BaseException:
                self._consumer.close()
                raise
        if not found:
            self._consumer.close()
            raise StreamUnavailable(f"topic {topic} has no partitions", "it was not made yet", "no DESCRIBE right")
        self._partitions = [TopicPartition(topic, number) for number in sorted(found)]
        self._consumer.assign(self._partitions)

    def partitions(self) -> int:
        """How many partitions the topic has."""
        return len(self._partitions)

    def topic_id(self) -> str:
        """Identity of the topic when the reader was opened."""
        return self._topic_id

    def seek(self, partition: int, next_offset: int) -> None:
        """Goes on at an offset token."""
        self._consumer.seek(self._partitions[partition], next_offset)

    def poll(self, timeout_s: float, events_max: int) -> Sequence[PublishedEvent]:
        """The next events. Raises StreamUnavailable, MalformedMessage."""
        messages = self.poll_messages(timeout_s, events_max)
        events: list[PublishedEvent] = []
        for number, message in enumerate(messages):
            try:
                events.append(read_message(message))
            except MalformedMessage:
                # What came before is handed out first; what comes after it is read by the next poll.
                self._go_back(messages[number + (not events) :])
                if not events:
                    raise
                break
        return events

    def _go_back(self, unread: Sequence[Message]) -> None:
        for message in reversed(unread):
            self.seek(message.partition, message.offset)

    def poll_messages(self, timeout_s: float, messages_max: int) -> Sequence[Message]:
        """The next messages as they stand there, in order within each partition. Raises StreamUnavailable."""
        with broker_errors(f"polling topic {self._topic}"):
            found = self._consumer.poll(timeout_ms=int(timeout_s * 1000), max_records=messages_max)
        return [
            Message(record.partition, record.offset, record.key, record.value, record.headers)
            for records in found.values()
            for record in records
        ]

    def position(self, partition: int) -> int:
        """The offset at which reading goes on; it steps over markers and aborted batches."""
        with broker_errors(f"polling topic {self._topic}"):
            return self._consumer.position(self._partitions[partition])

    def read_only(self, partitions: Iterable[int]) -> None:
        """Reads these partitions and lets the others rest."""
        self._consumer.pause(*self._partitions)
        self._consumer.resume(*(self._partitions[number] for number in partitions))

    def end(self, partition: int) -> int:
        """The last stable offset: behind it lie only transactions that are not decided."""
        return self.ends()[partition]

    def ends(self) -> list[int]:
        """The last stable offset of every partition."""
        with broker_errors(f"reading the ends of topic {self._topic}"):
            found = self._consumer.end_offsets(self._partitions)
        return [found[partition] for partition in self._partitions]

    def beginnings(self) -> list[int]:
        """The first offset of every partition."""
        with broker_errors(f"reading the beginnings of topic {self._topic}"):
            found = self._consumer.beginning_offsets(self._partitions)
        return [found[partition] for partition in self._partitions]

    def close(self) -> None:
        """Closes the connections."""
        self._consumer.close()
