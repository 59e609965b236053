"""Whether topics are still the ones that were looked at: one made anew has another id, a cut one another beginning."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient, OffsetSpec

from ledger.stream.contract import StreamError
from ledger.stream.kafka.connecting import broker_errors, build

_ANSWER_MS_MAX = 8_000


class TopicChanged(StreamError):
    """A topic was deleted, emptied or cut while it was published to; what it lacks has to be looked for."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"topic {topic} was deleted, emptied or cut while it was published to")
        self.topic = topic


@dataclass(frozen=True, slots=True)
class TopicState:
    """What changes when a topic loses events."""

    topic_id: str
    beginnings: tuple[int, ...]
    """First offset of every partition."""


class TopicWatch:
    """Looks at topics again and again, over one connection."""

    def __init__(self, bootstrap: str) -> None:
        """Raises StreamUnavailable."""
        with broker_errors("watching topics"):
            self._client = build(KafkaAdminClient, bootstrap, request_timeout_ms=_ANSWER_MS_MAX)

    def states(self, topics: Collection[str]) -> dict[str, TopicState]:
        """How the topics stand; one that is not there is left out. Raises StreamUnavailable."""
        if not topics:
            return {}
        with broker_errors("watching topics"):
            described = [each for each in self._client.describe_topics(list(topics)) if not each.get("error_code")]
            partitions = {
                TopicPartition(each["name"], part["partition_index"]): OffsetSpec.EARLIEST
                for each in described
                for part in each["partitions"]
            }
            first = self._client.list_partition_offsets(partitions)
        beginnings: dict[str, list[int]] = {each["name"]: [] for each in described}
        for partition in sorted(partitions):
            beginnings[partition.topic].append(first[partition].offset)
        return {each["name"]: TopicState(str(each["topic_id"]), tuple(beginnings[each["name"]])) for each in described}

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()
