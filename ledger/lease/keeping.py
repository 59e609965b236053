"""Keeps a lease at the pace of its term, whatever the pace of the work that goes on meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Protocol

import psycopg

RENEW_SECONDS = 1.5
_ANSWER_SECONDS_MAX = 1.5
_FAILURES_MAX = 3
"""In a row; with the waits between them, the term is over then."""

_log = logging.getLogger(__name__)


class Renewable(Protocol):
    """What is kept of a lease."""

    @property
    def epoch(self) -> int:
        """Grows with every holder."""
        ...

    async def renew(self) -> bool:
        """Holds it for another term; False where somebody else has taken it."""
        ...


class Keeping:
    """A lease that is renewed by a task of its own, on whatever connection the lease was given."""

    def __init__(self, lease: Renewable, holder: str, hospital: str, every_seconds: float) -> None:
        self._lease = lease
        self._every_seconds = every_seconds
        self._holder = holder
        self._facts = {"hospital": hospital, "epoch": lease.epoch}
        self._over = asyncio.Event()
        self.lost = False
        """Whether somebody else has it, or nobody could be asked for a term: the work is to stop."""

    def end(self) -> None:
        """It is renewed no more."""
        self._over.set()

    async def renew_until_over(self) -> None:
        """Renews until `end`, or until the lease is lost, which is said. However this ends, the work is told."""
        try:
            await self._renew_until_over()
        except Exception as error:
            self._lose("cannot be renewed", {"error": type(error).__name__})
            raise
        finally:
            self.lost = self.lost or not self._over.is_set()

    async def _renew_until_over(self) -> None:
        failures = 0
        while not self._over.is_set():
            try:
                async with asyncio.timeout(_ANSWER_SECONDS_MAX):
                    held = await self._lease.renew()
            except (psycopg.Error, TimeoutError) as error:  # a server that became a standby refuses the write too
                failures += 1
                if failures >= _FAILURES_MAX:
                    self._lose("cannot be renewed", {"error": type(error).__name__})
                    return
            else:
                failures = 0
                if not held:
                    self._lose("lost", {})
                    return
            await self._wait()

    def _lose(self, how: str, why: dict[str, str]) -> None:
        self.lost = True
        _log.error("%s's lease %s", self._holder, how, extra=self._facts | why)

    async def _wait(self) -> None:
        over = asyncio.create_task(self._over.wait())
        await asyncio.wait({over}, timeout=self._every_seconds)
        over.cancel()


@asynccontextmanager
async def kept(
    lease: Renewable, holder: str, hospital: str, every_seconds: float = RENEW_SECONDS
) -> AsyncGenerator[Keeping]:
    """Keeps a lease as long as the block lasts; `holder` is the role as the log names it.

    The block looks at `lost` where it goes on. That nobody else has written meanwhile only the lease's epoch says,
    compared where it writes.
    """
    keeping = Keeping(lease, holder, hospital, every_seconds)
    task = asyncio.create_task(keeping.renew_until_over(), name=f"lease of {holder} {hospital}")
    try:
        yield keeping
    finally:
        keeping.end()
        await asyncio.gather(task, return_exceptions=True)  # no error of renewing hides the block's own
    await task
