"""The contract of the published stream, the same on Kafka and on the PostgreSQL log.

Events of one record come in order; across records only the position orders. Each event names the position before it in
its partition, so every reader can prove that it lost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

START = 0
"""The offset token from which everything is read."""

UNREADABLE = ""
"""The type of an event whose envelope cannot be read; `envelope` and `body` are what stands there."""


class PublishedEvent(NamedTuple):
    """One event as published; `envelope` and `body` are the stored bytes, unchanged."""

    hospital: str
    origin: str
    position: int
    stream_id: UUID
    version: int
    type: str
    """Stored event name, or UNREADABLE: then the event's record stops where it is read, and nothing else does."""
    recorded_at: int
    """Unix microseconds."""
    envelope: bytes
    body: bytes
    partition: int
    prev_position: int
    """Position of the event before in the same partition; 0 for the first."""
    next_offset: int
    """Opaque token with which reading goes on after this event."""
    traceparent: str | None = None


class StreamError(Exception):
    """The published stream cannot be read or written."""


class StreamUnavailable(StreamError):
    """What carries the stream cannot be reached, or refuses us."""

    def __init__(self, reason: str, *likely_causes: str) -> None:
        causes = f"; likely causes: {', '.join(likely_causes)}" if likely_causes else ""
        super().__init__(reason + causes)
        self.reason = reason
        self.likely_causes = likely_causes


class GapFound(StreamError):
    """An event is missing: the next one names another predecessor than the last one handled."""

    def __init__(self, partition: int, handled: int, named: int) -> None:
        super().__init__(f"partition {partition}: handled up to {handled}, the next event follows {named}")
        self.partition = partition
        self.handled = handled
        self.named = named


class MalformedMessage(StreamError):
    """A message that no publisher wrote: it names no record. The next poll goes on behind it, and the next event's
    predecessor shows whether one of ours was lost with it."""

    def __init__(self, partition: int, offset: int, fault: str) -> None:
        super().__init__(f"partition {partition}, offset {offset}: {fault}")
        self.partition = partition
        self.offset = offset
        self.fault = fault


class MessageTooLarge(StreamError):
    """An event does not fit into one message of the stream."""

    def __init__(self, position: int, size: int, limit: int) -> None:
        super().__init__(f"position {position}: {size} bytes, at most {limit}")
        self.position = position
        self.size = size
        self.limit = limit


class GapDetector:
    """Skips what was handled before and stops where something is missing; one for each reader."""

    def __init__(self, handled: dict[int, int]) -> None:
        """`handled`: the last handled position of each partition."""
        self._handled = dict(handled)

    def is_new(self, event: PublishedEvent) -> bool:
        """Whether the event is the next one. False: handled before. Raises GapFound."""
        handled = self._handled.get(event.partition, 0)
        if event.position <= handled:
            return False
        if event.prev_position != handled:
            raise GapFound(event.partition, handled, event.prev_position)
        self._handled[event.partition] = event.position
        return True


class StreamReader(Protocol):
    """Reads one topic. Not for two threads at once; every call may block up to its time limit."""

    def partitions(self) -> int:
        """How many partitions the topic has."""
        ...

    def topic_id(self) -> str:
        """Identity of the topic: another one means that it was made anew, and is read from START."""
        ...

    def seek(self, partition: int, next_offset: int) -> None:
        """Goes on reading a partition at an offset token; START = from the first event."""
        ...

    def poll(self, timeout_s: float, events_max: int) -> Sequence[PublishedEvent]:
        """The next events, in order within each partition; empty when none came in time. Raises StreamError."""
        ...

    def end(self, partition: int) -> int:
        """The offset token behind the last stable event of a partition."""
        ...

    def close(self) -> None:
        """Gives up what the reader holds."""
        ...
