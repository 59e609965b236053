"""Publishes a hospital's events to Kafka, from where the topic itself stands."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ledger.publisher.ledger_log import HospitalRow, LedgerLog, LogRow
from ledger.publisher.rollback import refuse_if_rolled_back
from ledger.publisher.routing import Routing
from ledger.publisher.standing import Standing, compare
from ledger.publisher.transfer_topics import TransferTopics, published_event
from ledger.stream.contract import StreamError
from ledger.stream.kafka.topic_watch import TopicChanged, TopicState, TopicWatch
from ledger.stream.kafka.topics_admin import TopicsAdmin
from ledger.stream.kafka.writer import Edges, KafkaWriter, Outgoing
from ledger.stream.partition import partition_of
from ledger.stream.topics import records_topic, transfers_topic
from ledger.trust.lineage import number_of

T = TypeVar("T")
STUCK_SECONDS = 60.0
_STUCK_STATUS = 70
_EMPTIED_MAX = 3
_log = logging.getLogger(__name__)


class WrongPartitions(StreamError):
    """A topic was made with another number of partitions than the registry says."""

    def __init__(self, topic: str, found: int, wanted: int) -> None:
        super().__init__(f"topic {topic} has {found} partitions, the registry says {wanted}")
        self.topic = topic
        self.found = found
        self.wanted = wanted


class KafkaSink:
    """One producer of the hospital's topic, on a thread of its own, since the client blocks."""

    def __init__(self, bootstrap: str, log: LedgerLog, hospital: HospitalRow, routing: Routing) -> None:
        self._routing = routing
        self._admin = TopicsAdmin(bootstrap)
        self._bootstrap = bootstrap
        self._log = log
        self._hospital = hospital
        self._topic = records_topic(hospital.id)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"publish-{hospital.id}")
        self._writer: KafkaWriter | None = None
        self._watch: TopicWatch | None = None
        self._transfers: TransferTopics | None = None
        self._state: TopicState | None = None
        self._last: list[int] = []
        self._refill_upto = 0

    async def open(self) -> int:
        """Makes the topics, fences, and reads from the topic itself where it stands."""
        compacted = await self._call(self._make_topics)
        watch = self._watch = await self._call(lambda: TopicWatch(self._bootstrap))
        writer = self._writer = await self._call(lambda: KafkaWriter(self._bootstrap, self._hospital.id))
        edges, upto = await self._whole_beginnings(writer, watch, compacted=compacted)
        self._last = [place.position if place else 0 for place in edges.last]
        standing = await compare(self._log, self._hospital.id, self._last)
        await self._say_if_lost(standing, upto)
        self._transfers = TransferTopics(
            self._log, self._hospital, self._admin, writer, watch, self._call, self._routing
        )
        await self._transfers.open(standing.highest)
        return standing.resume

    def _make_topics(self) -> bool:
        """Makes the hospital's topics where they are not there: others may send to it before it sends itself.

        Whether the topic of its records was compacted: then events lack anywhere in it.
        """
        wrong = self._admin.ensure(self._topic, self._hospital.partitions)
        self._admin.ensure(transfers_topic(self._hospital.id), 1)
        return "cleanup.policy" in wrong

    async def _whole_beginnings(self, writer: KafkaWriter, watch: TopicWatch, *, compacted: bool) -> tuple[Edges, int]:
        """The topic's edges once every partition begins with its first event or with none, and how far it reached.

        A partition that lost its beginning cannot be mended at its front: it is emptied, to be filled again.
        """
        upto = await self._log.progress(self._hospital.id)
        cut: Sequence[int] = range(self._hospital.partitions) if compacted else ()
        for _ in range(_EMPTIED_MAX):
            self._state = (await self._call(lambda: watch.states([self._topic]))).get(self._topic)
            edges = await self._call(writer.edges)
            if len(edges.last) != self._hospital.partitions:
                raise WrongPartitions(self._topic, len(edges.last), self._hospital.partitions)
            upto = max(upto, *(place.position for place in edges.last if place), 0)
            published = {place.position: place.envelope for place in edges.last if place}
            await refuse_if_rolled_back(self._log, self._hospital.id, upto, published, self._advice())
            cut = sorted({*cut, *edges.beheaded})
            if not cut:
                return edges, upto
            facts = {"hospital": self._hospital.id, "partitions": cut, "topic_stood_at": upto}
            _log.error(
                "the topic has lost its first events; these partitions are emptied and filled again", extra=facts
            )
            await self._call(lambda cut=cut: self._admin.empty(self._topic, cut))
            cut = ()
        raise TopicChanged(self._topic)

    def _advice(self) -> str:
        """A topic that outlived the end of a log holds what the ledger has not any more: nobody takes that from it."""
        if number_of(self._hospital.origin) == 1:
            return ""
        return f"; a log of this ledger has ended: remove the topic {self._topic}, which is then filled again"

    async def _say_if_lost(self, standing: Standing, upto: int) -> None:
        if standing.resume >= upto:
            # A crash between Kafka's commit and this note has left it behind.
            await self._log.note_progress(self._hospital.id, standing.resume)
            return
        self._refill_upto = upto
        facts = {
            "hospital": self._hospital.id,
            "topic_stands_at": standing.resume,
            "was_published_upto": upto,
            "partitions_cut": list(standing.damaged),
        }
        _log.error("the topic has lost events; they are published again from the ledger", extra=facts)

    async def publish(self, rows: Sequence[LogRow]) -> None:
        """One transaction; what a partition that lost nothing still holds is left out."""
        assert self._writer is not None  # noqa: S101 - open() came first
        assert self._transfers is not None  # noqa: S101 - open() came first
        last = list(self._last)
        to = await self._routing.recipients(rows)
        batch: list[Outgoing] = []
        for row in rows:
            partition = partition_of(row.stream_id.bytes, self._hospital.partitions)
            if row.position > last[partition]:
                batch.append(self._outgoing(row, partition, last[partition], to.get(row.position, ())))
                last[partition] = row.position
        writer = self._writer
        if batch:
            await self._transfers.make({recipient for each in batch for recipient in each.recipients})
            await self._call(lambda: writer.publish(batch))
        self._last = last
        await self._log.note_progress(self._hospital.id, rows[-1].position)

    def _outgoing(self, row: LogRow, partition: int, before: int, recipients: tuple[str, ...]) -> Outgoing:
        event = published_event(self._hospital, row, partition, before)
        return Outgoing(event, recipients, refilled=row.position <= self._refill_upto)

    async def look(self) -> None:
        """Whether the topics are the ones that were opened, and the ledger has what was published."""
        assert self._watch is not None  # noqa: S101 - open() came first
        assert self._transfers is not None  # noqa: S101 - open() came first
        watch, known = self._watch, {self._topic: self._state, **self._transfers.states}
        found = await self._call(lambda: watch.states(known))
        for topic, state in known.items():
            if found.get(topic) != state:
                raise TopicChanged(topic)
        await refuse_if_rolled_back(self._log, self._hospital.id, max(self._last), {})

    async def close(self) -> None:
        """Ends producer and thread."""
        try:
            if self._writer is not None:
                await self._call(self._writer.close)
        finally:
            if self._watch is not None:
                await self._call(self._watch.close)
            self._writer = self._watch = None
            self._thread.shutdown(wait=False)

    async def _call(self, function: Callable[[], T]) -> T:
        """Runs a blocking call of the client. Some of them wait without a limit: then only a new process helps."""
        future = asyncio.get_running_loop().run_in_executor(self._thread, function)
        try:
            return await asyncio.wait_for(asyncio.shield(future), STUCK_SECONDS)
        except TimeoutError:
            _log.critical("the Kafka client is stuck; ending the process", extra={"hospital": self._hospital.id})
            os._exit(_STUCK_STATUS)
