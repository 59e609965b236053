"""What several of the traps need."""

import pytest

from ledger.stream.kafka import connecting


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients give a broker up after 1.5 s, not after 10: for brokers that let nobody in however long one waits."""
    monkeypatch.setitem(connecting.COMMON, "bootstrap_timeout_ms", 1_500)
