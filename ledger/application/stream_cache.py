"""The last known state of streams, bounded, so that a command usually reads nothing before it decides."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.domain.state import StreamState


@dataclass(frozen=True)
class Loaded:
    """A stream as it stands: its state, and what the next event must follow."""

    stream_id: UUID
    state: StreamState
    version: int
    head_leaf: bytes
    recorded_at: datetime


def before(loaded: Loaded, version: int | None, time: datetime | None) -> bool:
    """Whether that version, or what stood at that server time, came before what is loaded."""
    return (version is not None and version < loaded.version) or (time is not None and time < loaded.recorded_at)


class StreamCache:
    """One hospital's streams, bounded by the events behind them, since a state grows with its events.

    Least recently used streams leave first. A stale entry is harmless: the append finds the newer version.
    """

    def __init__(self, events_max: int) -> None:
        self._events_max = events_max
        self._events = 0
        self._streams: OrderedDict[UUID, Loaded] = OrderedDict()

    def get(self, stream_id: UUID) -> Loaded | None:
        """The stream, if it is known here."""
        loaded = self._streams.get(stream_id)
        if loaded is not None:
            self._streams.move_to_end(stream_id)
        return loaded

    def put(self, loaded: Loaded) -> None:
        """Keeps the stream unless a later version of it is known already."""
        known = self._streams.pop(loaded.stream_id, None)
        newest = known if known is not None and known.version > loaded.version else loaded
        self._events += newest.version - (known.version if known else 0)
        self._streams[newest.stream_id] = newest
        while self._events > self._events_max and len(self._streams) > 1:
            _, left = self._streams.popitem(last=False)
            self._events -= left.version

    def drop(self, stream_id: UUID) -> None:
        """Forgets a stream."""
        known = self._streams.pop(stream_id, None)
        if known is not None:
            self._events -= known.version
