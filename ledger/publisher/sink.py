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
from ledger.publisher.standing import Standing, compare
from ledger.stream.contract import PublishedEvent, StreamError
from ledger.stream.kafka.topics_admin import TopicsAdmin
from ledger.stream.kafka.writer import KafkaWriter, Outgoing
from ledger.stream.partition import partition_of
from ledger.stream.topics import records_topic, transfers_topic

T = TypeVar("T")
STUCK_SECONDS = 60.0
_STUCK_STATUS = 70
_log = logging.getLogger(__name__)


class WrongPartitions(StreamError):
    """A topic was made with another number of partitions than the registry says."""

    def __init__(self, topic: str, found: int, wanted: int) -> None:
        super().__init__(f"topic {topic} has {found} partitions, the registry says {wanted}")
        self.topic = topic
        self.found = found
        self.wanted = wanted


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
        self._recipients: set[str] = set()

    async def open(self) -> int:
        """Makes the topics, fences, and reads from the topic itself where it stands."""
        self._writer = await self._call(self._open)
        last = await self._call(self._writer.last_positions)
        if len(last) != self._hospital.partitions:
            raise WrongPartitions(records_topic(self._hospital.id), len(last), self._hospital.partitions)
        standing = await compare(self._log, self._hospital.id, last)
        self._last = last
        await self._say_if_lost(standing)
        return standing.resume

    def _open(self) -> KafkaWriter:
        make_topics(self._bootstrap, self._hospital)
        return KafkaWriter(self._bootstrap, self._hospital.id)

    async def _say_if_lost(self, standing: Standing) -> None:
        advice = await self._log.progress(self._hospital.id)
        if standing.highest >= advice and not standing.damaged:
            return
        self._refill_upto = max(advice, standing.highest)
        facts = {
            "hospital": self._hospital.id,
            "topic_stands_at": standing.resume,
            "was_published_upto": self._refill_upto,
            "partitions_cut": list(standing.damaged),
        }
        _log.error("the topic has lost events; they are published again from the ledger", extra=facts)

    async def publish(self, rows: Sequence[LogRow]) -> None:
        """One transaction; what a partition that lost nothing still holds is left out."""
        assert self._writer is not None  # noqa: S101 - open() came first
        last = list(self._last)
        batch = [self._outgoing(row, last) for row in rows if row.position > last[self._partition(row)]]
        refilled = rows[0].position <= self._refill_upto
        writer = self._writer
        if batch:
            await self._make_recipients_topics(batch)
            await self._call(lambda: writer.publish(batch, refilled=refilled))
        self._last = last
        await self._log.note_progress(self._hospital.id, rows[-1].position)

    async def _make_recipients_topics(self, batch: Sequence[Outgoing]) -> None:
        """A recipient that this process has not looked at yet may have none; the send would wait for it in vain."""
        missing = {recipient for each in batch for recipient in each.recipients} - self._recipients
        for recipient in sorted(missing):
            await self._call(lambda to=recipient: TopicsAdmin(self._bootstrap).ensure(transfers_topic(to), 1))
            self._recipients.add(recipient)

    def _partition(self, row: LogRow) -> int:
        return partition_of(row.stream_id.bytes, self._hospital.partitions)

    def _outgoing(self, row: LogRow, last: list[int]) -> Outgoing:
        partition = self._partition(row)
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
