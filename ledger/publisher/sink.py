"""Where a hospital's events go: the two carriers of the published stream behind one port."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from ledger.publisher.ledger_log import HospitalRow, LedgerLog, LogRow
from ledger.publisher.routing import recipients_of
from ledger.stream.contract import PublishedEvent
from ledger.stream.kafka.topics_admin import TopicsAdmin
from ledger.stream.kafka.writer import KafkaWriter, Outgoing
from ledger.stream.partition import partition_of
from ledger.stream.topics import records_topic, transfers_topic

T = TypeVar("T")
STUCK_SECONDS = 90.0
_STUCK_STATUS = 70
_log = logging.getLogger(__name__)


class Sink(Protocol):
    """Publishes one hospital's events."""

    async def open(self) -> int:
        """Fences whoever published before; the last position that is published."""
        ...

    async def publish(self, rows: Sequence[LogRow]) -> None:
        """Publishes events that follow the last position, all or none."""
        ...

    async def close(self) -> None:
        """Gives up what the sink holds."""
        ...


class PostgresSink:
    """The log is the stream already; what goes to other hospitals is copied to their sequences."""

    def __init__(self, log: LedgerLog, hospital: HospitalRow) -> None:
        self._log = log
        self._hospital = hospital
        self._position = 0

    async def open(self) -> int:
        """The position up to which transfers were copied."""
        self._position = await self._log.progress(self._hospital.id)
        return self._position

    async def publish(self, rows: Sequence[LogRow]) -> None:
        """Copies the transfers in a range and notes the progress, in one transaction."""
        last = rows[-1].position
        await self._log.copy_transfers(self._hospital.id, self._hospital.origin, self._position, last)
        self._position = last

    async def close(self) -> None:
        """Nothing is held."""


def make_topics(bootstrap: str, hospital: HospitalRow) -> None:
    """Makes a hospital's topics where they are not there: others may send to it before it sends itself."""
    admin = TopicsAdmin(bootstrap)
    admin.ensure(records_topic(hospital.id), hospital.partitions)
    admin.ensure(transfers_topic(hospital.id), 1)


class KafkaSink:
    """One producer of the hospital's topic, on a thread of its own, since the client blocks."""

    def __init__(self, bootstrap: str, log: LedgerLog, hospital: HospitalRow) -> None:
        self._bootstrap = bootstrap
        self._log = log
        self._hospital = hospital
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"publish-{hospital.id}")
        self._writer: KafkaWriter | None = None
        self._last: list[int] = []
        self._refill_upto = 0

    async def open(self) -> int:
        """Makes the topics, fences, and reads from the topic itself where it stands."""
        self._writer = await self._call(self._open)
        self._last = await self._call(self._writer.last_positions)
        position = max(self._last, default=0)
        await self._say_if_lost(position)
        return position

    def _open(self) -> KafkaWriter:
        make_topics(self._bootstrap, self._hospital)
        return KafkaWriter(self._bootstrap, self._hospital.id)

    async def _say_if_lost(self, position: int) -> None:
        advice = await self._log.progress(self._hospital.id)
        if position >= advice:
            return
        self._refill_upto = advice
        facts = {"hospital": self._hospital.id, "topic_stands_at": position, "was_published_upto": advice}
        _log.error("the topic has lost events; they are published again from the ledger", extra=facts)

    async def publish(self, rows: Sequence[LogRow]) -> None:
        """One transaction."""
        assert self._writer is not None  # noqa: S101 - open() came first
        last = list(self._last)
        batch = [self._outgoing(row, last) for row in rows]
        refilled = rows[0].position <= self._refill_upto
        writer = self._writer
        await self._call(lambda: writer.publish(batch, refilled=refilled))
        self._last = last
        await self._log.note_progress(self._hospital.id, rows[-1].position)

    def _outgoing(self, row: LogRow, last: list[int]) -> Outgoing:
        partition = partition_of(row.stream_id.bytes, self._hospital.partitions)
        event = PublishedEvent(
            hospital=self._hospital.id,
            origin=self._hospital.origin,
            position=row.position,
            stream_id=row.stream_id,
            version=row.version,
            type=row.type,
            recorded_at=row.recorded_at,
            envelope=row.envelope,
            body=row.body,
            partition=partition,
            prev_position=last[partition],
            next_offset=0,
            traceparent=row.traceparent,
        )
        last[partition] = row.position
        return Outgoing(event, recipients_of(row.type, row.body))

    async def close(self) -> None:
        """Ends producer and thread."""
        try:
            if self._writer is not None:
                await self._call(self._writer.close)
        finally:
            self._writer = None
            self._thread.shutdown(wait=False)

    async def _call(self, function: Callable[[], T]) -> T:
        """Runs a blocking call of the client. Some of them wait without a limit: then only a new process helps."""
        future = asyncio.get_running_loop().run_in_executor(self._thread, function)
        try:
            return await asyncio.wait_for(asyncio.shield(future), STUCK_SECONDS)
        except TimeoutError:
            _log.critical("the Kafka client is stuck; ending the process", extra={"hospital": self._hospital.id})
            os._exit(_STUCK_STATUS)
