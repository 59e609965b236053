"""What every client of the broker is told, and what its errors probably mean."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from kafka.errors import AuthorizationError, InvalidProducerEpochError, KafkaError, ProducerFencedError

from ledger.stream.contract import StreamUnavailable

# A leader's death is noticed by fresh metadata only (5 minutes by default), and a broker that comes back is tried again
# with a growing pause (30 s by default).
COMMON: dict[str, Any] = {
    "metadata_max_age_ms": 1000,
    "reconnect_backoff_ms": 50,
    "reconnect_backoff_max_ms": 500,
    "bootstrap_timeout_ms": 10_000,
}

CAUSES = (
    "the broker does not run at this address",
    "a wrong user or password",
    "plaintext spoken to a TLS listener, or a missing CA",
)


@contextmanager
def broker_errors(doing: str) -> Generator[None]:
    """Turns the client's errors into StreamUnavailable with the likely causes."""
    try:
        yield
    except (KafkaError, OSError, RuntimeError, AssertionError) as error:
        raise StreamUnavailable(f"{doing}: {type(error).__name__}", *_causes(error)) from error


def _causes(error: Exception) -> tuple[str, ...]:
    if isinstance(error, AuthorizationError):
        return ("a missing right",)
    if isinstance(error, ProducerFencedError | InvalidProducerEpochError):
        return ("another publisher has taken over",)
    return CAUSES
