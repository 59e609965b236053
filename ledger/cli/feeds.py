"""Joins the published stream to those who read it: the one place that knows both the adapters and their users."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ledger.cli.opened_feed import OpenedFeed
from ledger.config import Settings
from ledger.lease import Leases
from ledger.stream.contract import (
    START,
    GapDetector,
    GapFound,
    MalformedMessage,
    PublishedEvent,
    StreamReader,
    StreamUnavailable,
)
from ledger.stream.kafka.reader import KafkaStreamReader
from ledger.stream.postgres.reader import records_reader
from ledger.stream.topics import records_topic
from ledger.trust.leaf import leaf_hash
from ledger.trust.sealing import Opener
from ledger.views.event import ViewEvent
from projections.checkpoint import Checkpoint, Delivered
from projections.connections import Pool
from projections.dead_letters import STOPPED_MAX
from projections.feed import Feed, OpenFeed
from projections.session import Pace, Tools

T = TypeVar("T")
_log = logging.getLogger(__name__)


def open_records(settings: Settings, hospital: str) -> StreamReader:
    """A reader of all events of a hospital. Blocks. Raises StreamUnavailable."""
    if settings.stream == "kafka":
        return KafkaStreamReader(settings.kafka_bootstrap, records_topic(hospital))
    return records_reader(settings.postgres_stream_url, hospital)


def stream_partitions(settings: Settings, partitions: int) -> int:
    """Partitions of a hospital on the stream in use: the PostgreSQL log has one."""
    return partitions if settings.stream == "kafka" else 1


def feed_opener(settings: Settings, opener: Opener) -> OpenFeed:
    """Opens feeds for views."""

    async def open_feed(hospital: str, partitions: int, checkpoints: Mapping[int, Checkpoint]) -> Feed:
        feed = _StreamFeed(partitions, checkpoints)
        await feed.open(lambda: open_records(settings, hospital))
        return OpenedFeed(feed, opener)

    return open_feed


def view_tools(settings: Settings, pool: Pool, leases: Leases, opener: Opener, pace: Pace | None = None) -> Tools:
    """What the views' runner and a rebuild use on the stream in use."""
    return Tools(
        pool=pool,
        open_feed=feed_opener(settings, opener),
        acquire=leases.acquire,
        pace=pace or Pace(),
        stopped_max=STOPPED_MAX,
        stream_partitions=lambda partitions: stream_partitions(settings, partitions),
    )


class _StreamFeed:
    """A blocking reader behind the views' port, on a thread of its own; skips what was handled, stops at a gap.

    A partition that was cut and filled again has other offsets under the same topic id. So where something is missing
    the partition is looked through from its start once; a gap that is there still is raised.
    """

    def __init__(self, partitions: int, checkpoints: Mapping[int, Checkpoint]) -> None:
        self._partitions = partitions
        self._checkpoints = checkpoints
        self._searched: set[int] = set()
        self._gap: GapFound | None = None
        self._at_rest = False
        self._gaps = GapDetector({number: each.position for number, each in checkpoints.items()})
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="feed")
        self._reader: StreamReader | None = None
        self._topic_id = ""

    async def open(self, opener: Callable[[], StreamReader]) -> None:
        try:
            self._reader = await self._call(lambda: self._positioned(opener()))
        except BaseException:
            self._thread.shutdown(wait=False)
            raise

    def _positioned(self, reader: StreamReader) -> StreamReader:
        self._topic_id = reader.topic_id()
        if reader.partitions() != self._partitions:
            raise StreamUnavailable(
                f"the stream has {reader.partitions()} partitions, the view was built from {self._partitions}"
            )
        for number in range(self._partitions):
            checkpoint = self._checkpoints.get(number)
            # Another topic has other offsets: read it from the start and skip what was handled.
            known = checkpoint is not None and checkpoint.topic_id == self._topic_id
            reader.seek(number, checkpoint.next_offset if checkpoint and known else START)
        return reader

    async def poll(self, timeout_s: float, events_max: int) -> Sequence[Delivered]:
        reader = self._reader
        assert reader is not None  # noqa: S101 - open() came first
        if self._gap:
            raise self._gap
        try:
            return await self._call(lambda: self._new_of(reader, reader.poll(timeout_s, events_max)))
        except MalformedMessage as foreign:
            # Not an event of the ledger. If it stands in the place of one, the next event names a lost predecessor.
            _log.error("a message on the stream that no publisher wrote is passed over", extra={"fault": str(foreign)})
            return ()

    def _new_of(self, reader: StreamReader, found: Sequence[PublishedEvent]) -> Sequence[Delivered]:
        """What was not handled before. Behind a gap nothing of its partition counts; what others brought is kept."""
        self._at_rest = not found
        new: list[Delivered] = []
        gaps: dict[int, GapFound] = {}
        for each in found:
            try:
                if each.partition not in gaps and self._gaps.is_new(each):
                    new.append(Delivered(each.partition, each.next_offset, self._topic_id, _view_event(each)))
            except GapFound as gap:
                gaps[each.partition] = gap
        for partition, gap in gaps.items():
            if partition in self._searched:
                self._gap = gap
            else:
                _log.warning("events are missing; the partition is read from its start", extra={"error": str(gap)})
                self._searched.add(partition)
                reader.seek(partition, START)
        return new

    @property
    def at_rest(self) -> bool:
        """As Feed says."""
        return self._at_rest

    async def close(self) -> None:
        try:
            if self._reader is not None:
                await self._call(self._reader.close)
        finally:
            self._thread.shutdown(wait=False)

    async def _call(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)


def _view_event(each: PublishedEvent) -> ViewEvent:
    """The reader has decoded the envelope already."""
    return ViewEvent(
        position=each.position,
        stream_id=each.stream_id,
        version=each.version,
        event_type=each.type,
        recorded_at=each.recorded_at,
        leaf=leaf_hash(each.envelope),
        envelope=each.envelope,
        body=each.body,
    )
