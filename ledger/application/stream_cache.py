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


class StreamCache:
    """Least recently used streams leave first. A stale entry is harmless: the append finds the newer version."""

    def __init__(self, streams_max: int) -> None:
        self._streams_max = streams_max
        self._streams: OrderedDict[UUID, Loaded] = OrderedDict()

    def get(self, stream_id: UUID) -> Loaded | None:
        """The stream, if it is known here."""
        loaded = self._streams.get(stream_id)
        if loaded is not None:
            self._streams.move_to_end(stream_id)
        return loaded

    def put(self, loaded: Loaded) -> None:
        """Keeps the stream unless a later version of it is known already."""
        known = self._streams.get(loaded.stream_id)
        if known is not None and known.version > loaded.version:
            return
        self._streams[loaded.stream_id] = loaded
        self._streams.move_to_end(loaded.stream_id)
        if len(self._streams) > self._streams_max:
            self._streams.popitem(last=False)
