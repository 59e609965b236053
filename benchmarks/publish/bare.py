"""The baseline: kafka-python's producer with the product's settings, messages made beforehand, one commit a batch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from kafka import KafkaProducer

from ledger.publisher.ledger_log import HospitalRow, LogRow
from ledger.publisher.transfer_topics import published_event
from ledger.stream.kafka.connecting import build
from ledger.stream.kafka.topics_admin import TopicsAdmin
from ledger.stream.message import headers_of, value_of

TOPIC = "ledger.bench.bare"
_SECONDS_MAX = 30.0


@dataclass(frozen=True)
class Message:
    """As the product sends it."""

    value: bytes
    key: bytes
    headers: list[tuple[str, bytes]]


def messages(hospital: HospitalRow, rows: Sequence[LogRow]) -> list[Message]:
    """The very messages that the product makes of these events."""
    events = [published_event(hospital, row, 0, row.position - 1) for row in rows]
    return [Message(value_of(each), each.stream_id.bytes, list(headers_of(each))) for each in events]


class BareProducer:
    """A producer and its topic of one partition."""

    def __init__(self, bootstrap: str) -> None:
        TopicsAdmin(bootstrap).ensure(TOPIC, 1)
        self._producer = build(
            KafkaProducer,
            bootstrap,
            transactional_id="ledger.bench.bare",
            api_version=(2, 4),
            batch_size=262_144,
            linger_ms=5,
            request_timeout_ms=12_000,
            delivery_timeout_ms=30_000,
        )
        self._producer.init_transactions()

    def rate(self, made: Sequence[Message], batch: int) -> float:
        """Messages a second."""
        began = time.perf_counter()
        for at in range(0, len(made), batch):
            self._producer.begin_transaction()
            futures = [
                self._producer.send(TOPIC, each.value, key=each.key, headers=each.headers, partition=0)
                for each in made[at : at + batch]
            ]
            self._producer.flush(_SECONDS_MAX)
            for future in futures:
                future.get(_SECONDS_MAX)
            self._producer.commit_transaction()
        return len(made) / (time.perf_counter() - began)

    def close(self) -> None:
        """Ends it."""
        self._producer.close(_SECONDS_MAX)
