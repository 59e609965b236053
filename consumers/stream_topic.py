"""A transfer topic read through the published-stream contract, whatever carries it."""

import asyncio
from collections.abc import Mapping, Sequence

from consumers.transfer_message import TransferMessage
from consumers.transfer_topic import Delivered, Place
from ledger.stream.contract import START, MalformedMessage, PublishedEvent, StreamReader


class StreamTopic:
    """A TransferTopic over a StreamReader, whose calls block and therefore run in a thread, one after the other."""

    def __init__(self, reader: StreamReader, topic_id: str, offsets: dict[int, int]) -> None:
        self._reader = reader
        self._topic_id = topic_id
        self._offsets = offsets
        self._one_by_one = False

    @classmethod
    async def open(cls, reader: StreamReader, places: Mapping[int, Place]) -> "StreamTopic":
        """Takes the reader over and goes to the places; a topic made anew is read from its start."""
        return await asyncio.to_thread(cls._open, reader, places)

    @classmethod
    def _open(cls, reader: StreamReader, places: Mapping[int, Place]) -> "StreamTopic":
        topic_id = reader.topic_id()
        kept = {partition: place.next_offset for partition, place in places.items() if place.topic_id == topic_id}
        offsets = {partition: kept.get(partition, START) for partition in range(reader.partitions())}
        for partition, offset in offsets.items():
            reader.seek(partition, offset)
        return cls(reader, topic_id, offsets)

    async def poll(self, timeout_seconds: float, messages_max: int) -> Sequence[Delivered]:
        """The next messages. One that cannot be read comes with an empty envelope under an origin of its own."""
        return await asyncio.to_thread(self._poll, timeout_seconds, messages_max)

    async def close(self) -> None:
        """Closes the reader."""
        await asyncio.to_thread(self._reader.close)

    def _poll(self, timeout_seconds: float, messages_max: int) -> Sequence[Delivered]:
        try:
            events = self._reader.poll(timeout_seconds, 1 if self._one_by_one else messages_max)
        except MalformedMessage as fault:
            return self._past(fault)
        return [self._delivered(event) for event in events]

    def _past(self, fault: MalformedMessage) -> Sequence[Delivered]:
        """The poll that failed may have held readable messages before it: only one read alone may be passed over."""
        alone, self._one_by_one = self._one_by_one, not self._one_by_one
        if alone:
            self._offsets[fault.partition] = fault.offset + 1
        for partition, offset in self._offsets.items():
            self._reader.seek(partition, offset)
        if not alone:
            return []
        place = Place(self._topic_id, fault.offset + 1)
        origin = f"unreadable:{self._topic_id}/{fault.partition}"
        return [Delivered(fault.partition, place, TransferMessage(origin, fault.offset + 1, b"", b""))]

    def _delivered(self, event: PublishedEvent) -> Delivered:
        self._offsets[event.partition] = event.next_offset
        message = TransferMessage(event.origin, event.position, event.envelope, event.body)
        return Delivered(event.partition, Place(self._topic_id, event.next_offset), message)
