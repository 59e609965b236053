"""Reads a hospital's next events while the last ones are on their way to the stream; never more than one page ahead."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg_pool import PoolTimeout

from ledger.publisher.ending import end
from ledger.publisher.ledger_log import BATCH, LedgerLog, LogRow


@dataclass(frozen=True)
class _Page:
    after: int
    reading: asyncio.Task[list[LogRow]]


class ReadAhead:
    """The events of one hospital, page by page."""

    def __init__(self, log: LedgerLog, hospital: str) -> None:
        self._log = log
        self._hospital = hospital
        self._page: _Page | None = None

    async def after(self, position: int) -> list[LogRow]:
        """As LedgerLog's `after`. Behind a full page the next one is begun at once."""
        page, self._page = self._page, None
        if page is not None and page.after == position:
            rows = await page.reading
        else:
            await _give_up(page)
            rows = await self._log.after(self._hospital, position)
        if len(rows) == BATCH:
            last = rows[-1].position
            self._page = _Page(last, asyncio.create_task(self._log.after(self._hospital, last), name="read ahead"))
        return rows

    async def close(self) -> None:
        """Gives up the page that is being read."""
        page, self._page = self._page, None
        await _give_up(page)


async def _give_up(page: _Page | None) -> None:
    if page is not None:
        # Nobody has asked for it: that it could not be read is for the next who asks to find.
        with suppress(psycopg.Error, PoolTimeout):
            await end(page.reading)
