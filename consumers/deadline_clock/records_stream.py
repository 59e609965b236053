"""A hospital's records stream, in batches: which records something happened to, and what."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from ledger.stream.contract import START, GapDetector, MalformedMessage, StreamReader

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """How far a partition was read."""

    topic_id: str
    next_offset: int
    position: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What one poll brought."""

    types: dict[UUID, set[str]] = field(default_factory=dict[UUID, set[str]])
    """Stored names of the events by stream."""
    places: dict[int, Place] = field(default_factory=dict[int, Place])


class RecordsStream:
    """A reader whose calls block, and so run in a thread one after the other; it stops where events are missing."""

    def __init__(self, reader: StreamReader, topic_id: str, places: Mapping[int, Place]) -> None:
        self._reader = reader
        self._topic_id = topic_id
        self._gaps = GapDetector({partition: place.position for partition, place in places.items()})

    @classmethod
    async def open(cls, reader: StreamReader, places: Mapping[int, Place]) -> RecordsStream:
        """Takes the reader over and goes to the places; a topic made anew is read from its start."""
        return await asyncio.to_thread(cls._open, reader, places)

    @classmethod
    def _open(cls, reader: StreamReader, places: Mapping[int, Place]) -> RecordsStream:
        topic_id = reader.topic_id()
        for partition in range(reader.partitions()):
            place = places.get(partition)
            known = place is not None and place.topic_id == topic_id
            reader.seek(partition, place.next_offset if place and known else START)
        return cls(reader, topic_id, places)

    async def poll(self, timeout_seconds: float, events_max: int) -> Batch:
        """The next events that were not handled before. Raises GapFound, StreamUnavailable."""
        return await asyncio.to_thread(self._poll, timeout_seconds, events_max)

    async def close(self) -> None:
        """Closes the reader."""
        await asyncio.to_thread(self._reader.close)

    def _poll(self, timeout_seconds: float, events_max: int) -> Batch:
        batch = Batch()
        try:
            events = self._reader.poll(timeout_seconds, events_max)
        except MalformedMessage as foreign:
            # Not an event of the ledger. If it stands in the place of one, the next event names a lost predecessor.
            _log.error("a message on the stream that no publisher wrote is passed over", extra={"fault": str(foreign)})
            return batch
        for event in events:
            if self._gaps.is_new(event):
                batch.types.setdefault(event.stream_id, set()).add(event.type)
                batch.places[event.partition] = Place(self._topic_id, event.next_offset, event.position)
        return batch
