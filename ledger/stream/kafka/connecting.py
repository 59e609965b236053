"""What every client of the broker is told, and what its errors probably mean."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

from kafka.errors import AuthorizationError, InvalidProducerEpochError, KafkaError, ProducerFencedError
from kafka.net.compat import KafkaNetClient

from ledger.stream.contract import StreamUnavailable

# A leader's death is noticed by fresh metadata only (5 minutes by default), and a broker that comes back is tried again
# with a growing pause (30 s by default).
COMMON: dict[str, object] = {
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


T = TypeVar("T")


def build(kind: Callable[..., T], bootstrap: str, **settings: object) -> T:
    """A client of the library. Where it cannot be built, what it had started is ended: the library leaves its thread
    behind, and one more with every attempt while the broker is away."""
    started: list[KafkaNetClient] = []

    def start(**configs: object) -> KafkaNetClient:
        started.append(KafkaNetClient(**configs))
        return started[-1]

    try:
        return kind(bootstrap_servers=bootstrap, kafka_client=start, **COMMON, **settings)
    except BaseException:
        for client in started:
            client.close()
        raise


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
