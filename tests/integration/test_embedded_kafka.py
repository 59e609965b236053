"""Our own Kafka keeps its promises: loopback only, startable again after any end, jars as pinned."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from ledger.embedded.errors import FolderInUse, KafkaUnavailable
from ledger.embedded.java import find_java
from ledger.embedded.kafka import EmbeddedKafka
from ledger.embedded.kafka_cluster import EmbeddedKafkaCluster
from ledger.embedded.kafka_jars import jars_are_there, provide_jars

_SECONDS_MAX = 20


@contextmanager
def _admin(bootstrap: str) -> Generator[KafkaAdminClient]:
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as client:
        yield client


def _write(bootstrap: str, topic: str, value: bytes, replicas: int = 1) -> None:
    with _admin(bootstrap) as client:
        client.create_topics([NewTopic(topic, 1, replicas)])
    with closing(KafkaProducer(bootstrap_servers=bootstrap, acks="all")) as producer:
        producer.send(topic, value, partition=0).get(_SECONDS_MAX)


def _read(bootstrap: str, topic: str) -> bytes | None:
    with closing(KafkaConsumer(bootstrap_servers=bootstrap, consumer_timeout_ms=_SECONDS_MAX * 1000)) as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek_to_beginning()
        return next(consumer).value


@pytest.fixture(scope="module")
def own_kafka(services_folder: Path, kafka_jars: Path) -> Iterator[EmbeddedKafka]:
    """A broker of this file alone, which the last of its tests stops."""
    with EmbeddedKafka(services_folder / "kafka-of-several", cache=kafka_jars) as broker:
        yield broker


def test_data_outlive_a_kill(own_kafka: EmbeddedKafka) -> None:
    """After kill -9 the same folder starts on the same port with all that was acknowledged."""
    bootstrap = own_kafka.bootstrap
    _write(bootstrap, "outlives", b"7")
    own_kafka.kill9()
    assert not own_kafka.alive
    own_kafka.start()
    assert own_kafka.bootstrap == bootstrap
    assert _read(bootstrap, "outlives") == b"7"


def test_a_folder_has_one_owner(own_kafka: EmbeddedKafka, kafka_jars: Path) -> None:
    """A second start on a folder in use is refused."""
    with pytest.raises(FolderInUse):
        EmbeddedKafka(own_kafka.folder, cache=kafka_jars).start()


def test_another_object_goes_on(own_kafka: EmbeddedKafka, kafka_jars: Path) -> None:
    """Stopped cleanly, another object on the same folder finds the data on the same port."""
    _write(own_kafka.bootstrap, "kept", b"8")
    own_kafka.stop()
    with EmbeddedKafka(own_kafka.folder, cache=kafka_jars) as again:
        assert again.bootstrap == own_kafka.bootstrap
        assert _read(again.bootstrap, "kept") == b"8"


def test_topics_are_made_on_purpose_only(kafka_broker: EmbeddedKafka, topic_name: Callable[[str], str]) -> None:
    """Asking for a topic that does not exist makes none."""
    with _admin(kafka_broker.bootstrap) as client:
        missing = topic_name("missing")
        client.describe_topics([missing])
        assert missing not in client.list_topics()


@pytest.mark.long  # `test_death_of_a_leader_is_noticed` shows as much of another one
def test_a_cluster_outlives_one_broker(kafka_cluster: EmbeddedKafkaCluster) -> None:
    """With three brokers what was acknowledged is read while one is dead, and the dead one comes back."""
    _write(kafka_cluster.bootstrap, "kept", b"9", replicas=3)
    kafka_cluster.brokers[0].kill9()
    assert _read(kafka_cluster.bootstrap, "kept") == b"9"
    kafka_cluster.brokers[0].start()


def test_a_missing_maven_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Maven the error says so, and how to get it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KafkaUnavailable, match=r"mvn.*Debian: maven"):
        provide_jars(tmp_path)


def test_a_missing_java_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Java the error says where it was looked for, and how to get one."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(KafkaUnavailable, match=r"no Java 17.*JAVA_HOME"):
        find_java()


def test_jars_are_fetched_once(kafka_jars: Path) -> None:
    """What is there is not fetched again."""
    assert jars_are_there(kafka_jars)
    assert provide_jars(kafka_jars) == provide_jars(kafka_jars)
