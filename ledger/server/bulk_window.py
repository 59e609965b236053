"""Bounds what one bulk load has under way, in commands and in bytes: a fast client waits, memory does not grow."""

from __future__ import annotations

import asyncio


class BulkWindow:
    """A place for each command under way. One command always gets in, whatever its size."""

    def __init__(self, commands_max: int, bytes_max: int) -> None:
        self._commands_max = commands_max
        self._bytes_max = bytes_max
        self._commands = 0
        self._bytes = 0
        self._freed = asyncio.Event()

    async def enter(self, size: int) -> None:
        """Waits for a place. One caller at a time: the loop that reads the stream."""
        while self._commands and (self._commands >= self._commands_max or self._bytes + size > self._bytes_max):
            self._freed.clear()
            await self._freed.wait()
        self._commands += 1
        self._bytes += size

    def leave(self, size: int) -> None:
        """Gives the place back."""
        self._commands -= 1
        self._bytes -= size
        self._freed.set()
