"""A real Apache Kafka for the test session. A missing Java or Maven fails by name; LEDGER_TEST_KAFKA=off leaves out."""

import itertools
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.embedded.kafka import EmbeddedKafka
from ledger.embedded.kafka_cluster import EmbeddedKafkaCluster
from ledger.embedded.kafka_jars import default_cache, provide_jars

_PROJECT = Path(__file__).parents[2]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def kafka_jars() -> Path:
    """The cache that holds Kafka's jars; every test that needs it carries the marker `kafka`."""
    cache = _PROJECT / default_cache()
    provide_jars(cache)
    return cache


@pytest.fixture(scope="session")
def kafka_broker(services_folder: Path, kafka_jars: Path) -> Iterator[EmbeddedKafka]:
    """The session's broker. A test that kills or stops takes `own_kafka`; topics are named by `topic_name`."""
    with EmbeddedKafka(services_folder / "kafka", cache=kafka_jars) as broker:
        yield broker


@pytest.fixture
def own_kafka(services_folder: Path, kafka_jars: Path) -> Iterator[EmbeddedKafka]:
    """A started broker of this test alone, to be killed and started again."""
    with EmbeddedKafka(services_folder / f"kafka-{next(_numbers)}", cache=kafka_jars) as broker:
        yield broker


@pytest.fixture
def kafka_cluster(services_folder: Path, kafka_jars: Path) -> Iterator[EmbeddedKafkaCluster]:
    """Three started brokers of this test alone, each topic on all three."""
    with EmbeddedKafkaCluster(services_folder / f"kafka-{next(_numbers)}", cache=kafka_jars) as cluster:
        yield cluster


@pytest.fixture
def topic_name() -> Callable[[str], str]:
    """Makes a name that no other test has: the session's broker is shared, topics are not."""
    return lambda stem: f"{stem}.{uuid.uuid4().hex[:12]}"
