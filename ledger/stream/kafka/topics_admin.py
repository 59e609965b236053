"""Topics: made once, looked at before anything is taken for empty."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic
from kafka.errors import TopicAlreadyExistsError, UnknownTopicOrPartitionError

from ledger.stream.contract import StreamUnavailable
from ledger.stream.kafka.connecting import broker_errors, build

_KEEP_EVERYTHING = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}
_UP_TO_ITS_END = -1
_RIGHT_SECONDS_MAX = 5.0
_POLL_SECONDS = 0.1
_log = logging.getLogger(__name__)


class TopicsAdmin:
    """Makes and describes topics; connects on each call and keeps nothing."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    def ensure(self, topic: str, partitions: int) -> frozenset[str]:
        """Makes a topic that keeps everything. Raises StreamUnavailable.

        One that is there is put right where it would delete or compact; gives the settings that were wrong.
        """
        with broker_errors(f"making topic {topic}"), self._client() as client:
            new = NewTopic(topic, num_partitions=partitions, replication_factor=-1, topic_configs=_KEEP_EVERYTHING)
            try:
                client.create_topics([new])
            except TopicAlreadyExistsError:
                return _keep_everything(client, topic)
        return frozenset()

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

    def is_there(self, topic: str) -> bool:
        """Whether there is such a topic. Raises StreamUnavailable where that cannot be known."""
        with broker_errors(f"describing topic {topic}"), self._client() as client:
            (found,) = client.describe_topics([topic])
        if found.get("error_code") not in (0, None, UnknownTopicOrPartitionError.errno):
            raise StreamUnavailable(f"topic {topic} cannot be described", "no DESCRIBE right on it")
        return not found.get("error_code")

    def empty(self, topic: str, partitions: Iterable[int]) -> None:
        """Deletes all that partitions hold, so that they can be filled again. Raises StreamUnavailable."""
        upto = {TopicPartition(topic, number): _UP_TO_ITS_END for number in partitions}
        with broker_errors(f"emptying partitions of topic {topic}"), self._client() as client:
            client.delete_records(upto)

    def _client(self) -> KafkaAdminClient:
        return build(KafkaAdminClient, self._bootstrap)


def _keep_everything(client: KafkaAdminClient, topic: str) -> frozenset[str]:
    """Somebody else made the topic, or changed it: what it would delete is not on the stream any more."""
    wrong = _wrong_settings(client, topic)
    if wrong:
        facts = {"topic": topic, "found": wrong, "wanted": {name: _KEEP_EVERYTHING[name] for name in wrong}}
        _log.error("a topic of the ledger does not keep everything; its settings are put right", extra=facts)
        right = {name: _KEEP_EVERYTHING[name] for name in wrong}
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, right)])
        _wait_until_right(client, topic)
    return frozenset(wrong)


def _wait_until_right(client: KafkaAdminClient, topic: str) -> None:
    """A broker learns of a change a moment after the controller has taken it, or never, where a right is missing."""
    deadline = time.monotonic() + _RIGHT_SECONDS_MAX
    while still := _wrong_settings(client, topic):
        if time.monotonic() > deadline:
            names = ", ".join(sorted(still))
            raise StreamUnavailable(f"topic {topic} does not keep everything ({names})", "no ALTER_CONFIGS right on it")
        time.sleep(_POLL_SECONDS)


def _wrong_settings(client: KafkaAdminClient, topic: str) -> dict[str, str]:
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, _KEEP_EVERYTHING)
    described = client.describe_configs([resource], config_filter="all")["topic"][topic]
    # The library says nothing of a refusal; the answer is empty then.
    if described.keys() != _KEEP_EVERYTHING.keys():
        raise StreamUnavailable(f"the settings of topic {topic} cannot be read", "no DESCRIBE_CONFIGS right on it")
    return {name: said["value"] for name, said in described.items() if said["value"] != _KEEP_EVERYTHING[name]}
