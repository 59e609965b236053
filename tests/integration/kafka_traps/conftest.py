"""What several of the traps need."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from ledger.embedded.kafka import EmbeddedKafka
from ledger.stream.kafka import connecting


@pytest.fixture(scope="module")
def own_kafka(services_folder: Path, kafka_jars: Path) -> Iterator[EmbeddedKafka]:
    """A broker of one file alone: its tests freeze it or kill it, and leave it running."""
    with EmbeddedKafka(services_folder / f"kafka-{uuid4().hex[:6]}", cache=kafka_jars) as broker:
        yield broker


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients give a broker up after 1.5 s, not after 10: for brokers that let nobody in however long one waits."""
    monkeypatch.setitem(connecting.COMMON, "bootstrap_timeout_ms", 1_500)
