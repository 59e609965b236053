"""Topics: made once, looked at before anything is taken for empty."""

from __future__ import annotations

from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import TopicAlreadyExistsError

from ledger.stream.contract import StreamUnavailable
from ledger.stream.kafka.connecting import broker_errors, build

_KEEP_EVERYTHING = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}


class TopicsAdmin:
    """Makes and describes topics; connects on each call and keeps nothing."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    def ensure(self, topic: str, partitions: int) -> None:
        """Makes a topic that keeps everything, unless it is there. Raises StreamUnavailable."""
        with broker_errors(f"making topic {topic}"), self._client() as client:
            new = NewTopic(topic, num_partitions=partitions, replication_factor=-1, topic_configs=_KEEP_EVERYTHING)
            try:
                client.create_topics([new])
            except TopicAlreadyExistsError:
                return

    def topic_id(self, topic: str) -> str:
        """Identity of a topic. Raises StreamUnavailable where it is not there or must not be described.

        A fetch without the right to read gives no records and no error, so silence is never taken for emptiness.
        """
        with broker_errors(f"describing topic {topic}"), self._client() as client:
            (found,) = client.describe_topics([topic])
        if found.get("error_code"):
            raise StreamUnavailable(
                f"topic {topic} cannot be described", "it was not made yet", "no DESCRIBE right on it"
            )
        rights = found.get("authorized_operations")
        if rights and "READ" not in rights:
            raise StreamUnavailable(f"topic {topic} cannot be read", "no READ right on it")
        return str(found["topic_id"])

    def _client(self) -> KafkaAdminClient:
        return build(KafkaAdminClient, self._bootstrap)
