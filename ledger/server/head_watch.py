"""One watch over the head of each followed hospital, however many streams follow it.

A hospital that nobody follows costs nothing: its watch begins with the first follower and ends with the last.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from ledger.server.errors import ServerStopping

_PAUSE_SECONDS_MIN = 0.05
_PAUSE_SECONDS_MAX = 1.0

ReadHead = Callable[[str], Awaitable[int]]


class HeadWatch:
    """Tells followers that a hospital's ledger has grown."""

    def __init__(self, read_head: ReadHead) -> None:
        self._read_head = read_head
        self._followed: dict[str, _Followed] = {}
        self._closed = False

    def notice(self, hospital: str, position: int) -> None:
        """This process has just appended up to that position: its followers need not wait for the next look."""
        followed = self._followed.get(hospital)
        if followed is not None:
            followed.advance(position)

    @asynccontextmanager
    async def follow(self, hospital: str) -> AsyncGenerator[Follower]:
        """Follows a hospital as long as the block runs. Raises ServerStopping once the watch is closed."""
        if self._closed:
            raise ServerStopping
        followed = self._followed.get(hospital)
        if followed is None or followed.failed:
            followed = self._followed[hospital] = _Followed(hospital, self._read_head)
        followed.followers += 1
        try:
            yield Follower(followed)
        finally:
            followed.followers -= 1
            if followed.followers == 0:
                if self._followed.get(hospital) is followed:
                    del self._followed[hospital]
                await followed.end()

    def close(self) -> None:
        """Ends every follower's wait with ServerStopping."""
        self._closed = True
        for followed in self._followed.values():
            followed.fail(ServerStopping())

    @property
    def hospitals_watched(self) -> int:
        """Hospitals with at least one follower."""
        return len(self._followed)


class Follower:
    """One stream's place in the watch."""

    def __init__(self, followed: _Followed) -> None:
        self._followed = followed

    async def beyond(self, position: int) -> int:
        """Waits until the head is above the position; the head. Raises what reading the head raised."""
        while self._followed.head <= position:
            await self._followed.changed()
        return self._followed.head


class _Followed:
    def __init__(self, hospital: str, read_head: ReadHead) -> None:
        self.head = 0
        self.followers = 0
        self._hospital = hospital
        self._read_head = read_head
        self._change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._look_again_and_again(), name=f"head of {hospital}")

    @property
    def failed(self) -> bool:
        return self._change.done()

    async def changed(self) -> None:
        await asyncio.shield(self._change)

    def advance(self, head: int) -> None:
        if head <= self.head or self.failed:
            return
        self.head = head
        change, self._change = self._change, asyncio.get_running_loop().create_future()
        change.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.failed:
            self._change.set_exception(error)
            self._change.exception()  # taken note of: the last follower may have left already

    async def end(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _look_again_and_again(self) -> None:
        pause = _PAUSE_SECONDS_MIN
        while True:
            try:
                head = await self._read_head(self._hospital)
            except Exception as error:  # noqa: BLE001 # every follower gets it
                self.fail(error)
                return
            pause = _PAUSE_SECONDS_MIN if head > self.head else min(pause * 2, _PAUSE_SECONDS_MAX)
            self.advance(head)
            await asyncio.sleep(pause)
