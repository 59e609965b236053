"""One lane per stream in this process: the next command decides only after the verdict on the one before.

So a group of the committer never holds two commands of one stream, and commands of one record that arrive together
do not make each other decide twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID


class Lanes:
    """Locks that exist only while somebody holds them or waits for them."""

    def __init__(self) -> None:
        self._lanes: dict[UUID, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def enter(self, stream_id: UUID | None) -> AsyncGenerator[None]:
        """Waits until nobody else is in the stream's lane. None = a stream that does not exist yet: no lane."""
        if stream_id is None:
            yield
            return
        lock, users = self._lanes.get(stream_id, (asyncio.Lock(), 0))
        self._lanes[stream_id] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._lanes[stream_id]
            if users == 1:
                del self._lanes[stream_id]
            else:
                self._lanes[stream_id] = (lock, users - 1)
