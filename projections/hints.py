"""Hints that a ledger has grown. They may be lost, so they only shorten the wait for the next look."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import psycopg

from ledger.views.statements import templates
from projections.connections import Connection

_log = logging.getLogger(__name__)
_RECONNECT_S = 1.0


class HeadHints:
    """Set whenever any hospital's head has moved."""

    def __init__(self) -> None:
        self._grown = asyncio.Event()

    async def wait(self, seconds_max: float, stop: asyncio.Event) -> None:
        """Returns on a hint, when `stop` is set, or after `seconds_max`."""
        waits = [asyncio.create_task(self._grown.wait()), asyncio.create_task(stop.wait())]
        await asyncio.wait(waits, timeout=seconds_max, return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        self._grown.clear()

    async def listen(self, url: str) -> None:
        """Listens for ever on a connection of its own, and connects again where it breaks."""
        while True:
            try:
                async with await Connection.connect(url, autocommit=True, connect_timeout=5) as connection:
                    await connection.execute(templates("projections", "projector")["listen"].encode())
                    async for _ in connection.notifies():
                        self._grown.set()
            except psycopg.OperationalError as error:
                _log.warning("hints out of reach", extra={"error": type(error).__name__})
            await asyncio.sleep(_RECONNECT_S)


@asynccontextmanager
async def listening(url: str) -> AsyncGenerator[HeadHints, None]:
    """Hints while the block runs."""
    hints = HeadHints()
    task = asyncio.create_task(hints.listen(url), name="head hints")
    try:
        yield hints
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
