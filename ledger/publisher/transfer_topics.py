"""The transfer topics that a hospital sends to: which ones they were, and what they have lost of it.

Where a sender stands is read from the topic of its records; a transfer topic has many senders and shows none of that.
So its identity and its beginning are kept in PostgreSQL: where they differ, what was sent there is sent again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Protocol, TypeVar

from ledger.publisher.ledger_log import HospitalRow, LedgerLog, LogRow, origin_of
from ledger.publisher.routing import Routing
from ledger.stream.contract import PublishedEvent
from ledger.stream.kafka.topic_watch import TopicState, TopicWatch
from ledger.stream.kafka.topics_admin import TopicsAdmin
from ledger.stream.kafka.writer import KafkaWriter, Outgoing
from ledger.stream.partition import partition_of
from ledger.stream.topics import transfers_topic

_PAGE = 200
T = TypeVar("T")
_log = logging.getLogger(__name__)


class Call(Protocol):
    """Runs a blocking call of the client on the sink's own thread."""

    async def __call__(self, function: Callable[[], T], /) -> T:
        """Its result."""
        ...


class TransferTopics:
    """The transfer topics of one sender's recipients."""

    def __init__(
        self,
        log: LedgerLog,
        hospital: HospitalRow,
        admin: TopicsAdmin,
        writer: KafkaWriter,
        watch: TopicWatch,
        call: Call,
        routing: Routing,
    ) -> None:
        self._routing = routing
        self._log = log
        self._hospital = hospital
        self._admin = admin
        self._writer = writer
        self._watch = watch
        self._call = call
        self._states: dict[str, TopicState] = {}

    @property
    def states(self) -> Mapping[str, TopicState]:
        """By topic: how the ones that are in use stood when they were last looked at."""
        return self._states

    async def open(self, upto: int) -> None:
        """Looks at every topic that was sent to; what one has lost of the events up to a position is sent again."""
        known = await self._log.transfer_topics(self._hospital.id)
        found = await self._made(known)
        lost = {each: state for each, state in found.items() if (state.topic_id, state.beginnings[0]) != known[each]}
        if lost:
            facts = {"hospital": self._hospital.id, "recipients": sorted(lost), "upto": upto}
            _log.error("transfer topics have lost events; offers and answers are published again", extra=facts)
            await self._send_again(set(lost), upto)
        for recipient, state in lost.items():
            await self._note(recipient, state)
        self._states = {transfers_topic(each): state for each, state in found.items()}

    async def make(self, recipients: Collection[str]) -> None:
        """A recipient that was not sent to yet may have no topic; the send would wait for it in vain."""
        new = [each for each in sorted(recipients) if transfers_topic(each) not in self._states]
        for recipient, state in (await self._made(new)).items():
            await self._note(recipient, state)
            self._states[transfers_topic(recipient)] = state

    async def _made(self, recipients: Collection[str]) -> dict[str, TopicState]:
        """The topics as they stand, made where they are not there."""
        for each in recipients:
            await self._call(lambda to=each: self._admin.ensure(transfers_topic(to), 1))
        states = await self._call(lambda: self._watch.states([transfers_topic(each) for each in recipients]))
        return {each: states[transfers_topic(each)] for each in recipients if transfers_topic(each) in states}

    async def _note(self, recipient: str, state: TopicState) -> None:
        await self._log.note_transfer_topic(self._hospital.id, recipient, state.topic_id, state.beginnings[0])

    async def _send_again(self, lost: set[str], upto: int) -> None:
        position = 0
        while rows := await self._log.routed(self._hospital.id, position, upto, _PAGE):
            recipients = await self._routing.recipients(rows)
            batch = [
                Outgoing(await self._event(row), to, refilled=True, to_records=False)
                for row in rows
                if (to := tuple(each for each in recipients.get(row.position, ()) if each in lost))
            ]
            if batch:
                await self._call(lambda batch=batch: self._writer.publish(batch))
            position = rows[-1].position

    async def _event(self, row: LogRow) -> PublishedEvent:
        partition = partition_of(row.stream_id.bytes, self._hospital.partitions)
        return published_event(self._hospital, row, partition, await self._before(row.position, partition))

    async def _before(self, position: int, partition: int) -> int:
        """The position before in the same partition."""
        while rows := await self._log.streams_below(self._hospital.id, position - 1, _PAGE):
            for position, stream_id in rows:
                if partition_of(stream_id.bytes, self._hospital.partitions) == partition:
                    return position
        return 0


def published_event(hospital: HospitalRow, row: LogRow, partition: int, prev_position: int) -> PublishedEvent:
    """A stored event as it is published."""
    return PublishedEvent(
        hospital=hospital.id,
        origin=origin_of(row, hospital),
        position=row.position,
        stream_id=row.stream_id,
        version=row.version,
        type=row.type,
        recorded_at=row.recorded_at,
        envelope=row.envelope,
        body=row.body,
        partition=partition,
        prev_position=prev_position,
        next_offset=0,
        traceparent=row.traceparent,
    )
