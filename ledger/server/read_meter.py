"""Counts what is read, by hospital and day, for those who pay for it: reads are no events."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from ledger.application.ledger import Ledger
from ledger.server.method import Method
from ledger.store.errors import StoreError

FLUSH_SECONDS = 5.0
"""A killed server loses what it answered in so many seconds at most, and while the store was out of reach."""

_READS = re.compile(r"(Get|List|Find|Read|Fetch)[A-Z]")
_OF_THE_SERVICE = frozenset({"OperationsService", "HospitalService"})
_log = logging.getLogger(__name__)

Counted = Callable[[str, int, int], None]
"""Takes a hospital, the reads and the bytes of what was sent."""


class ReadMeter:
    """The totals of one run of a server: of each hospital today's, and earlier ones until they are written.

    What is answered counts for the day on which it is written, so the last seconds of a day may count for the next.
    """

    def __init__(self, ledger: Ledger, run: UUID) -> None:
        self._ledger = ledger
        self._run = run
        self._since: dict[str, tuple[int, int]] = {}
        self._totals: dict[tuple[str, str], tuple[int, int]] = {}
        self._unwritten = False

    def of(self, method: Method) -> Counted | None:
        """What counts answers of the method; None for one that is no read of a hospital."""
        read = _READS.match(method.name) and method.service not in _OF_THE_SERVICE
        return self._answered if read and not method.is_command else None

    def _answered(self, hospital: str, reads: int, size: int) -> None:
        before = self._since.get(hospital, (0, 0))
        self._since[hospital] = (before[0] + reads, before[1] + size)

    async def flush(self) -> None:
        """Writes what is new. Raises StoreError; nothing is lost then, the next one writes it."""
        day = self._ledger.now().date().isoformat()
        new, self._since = self._since, {}
        for hospital, (reads, size) in new.items():
            before = self._totals.get((hospital, day), (0, 0))
            self._totals[hospital, day] = (before[0] + reads, before[1] + size)
        self._unwritten = self._unwritten or bool(new)
        if self._unwritten:
            await self._ledger.notes.keep_reads(self._run, self._totals)
            self._unwritten = False
            self._totals = {key: total for key, total in self._totals.items() if key[1] == day}

    @asynccontextmanager
    async def flushing(self) -> AsyncGenerator[None]:
        """Writes every few seconds while the block runs, and once at its end."""
        task = asyncio.create_task(self._every(FLUSH_SECONDS), name="read meter")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self._try_to_flush()

    async def _every(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self._try_to_flush()

    async def _try_to_flush(self) -> None:
        try:
            await self.flush()
        except StoreError as error:
            _log.warning("what was read is not written down yet", extra={"why": type(error).__name__})
