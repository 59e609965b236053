"""Waits until a view has handled a position: exactly the partition of that event, one look for all who wait."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

import psycopg

from ledger.views.errors import PositionAboveHead, RecordStopped, ViewAbsent, ViewError, WaitTimedOut
from projections.connections import Pool, borrowed
from projections.feed import PositionLookup
from projections.tables import freshness_statements

WAIT_S_MAX = 5.0
_LOOK_AFTER_S_MIN = 0.005
_LOOK_AFTER_S_MAX = 0.05

PartitionsOf = Callable[[str], Awaitable[int]]
PartitionOf = Callable[[bytes, int], int]
"""The published stream's shared function: (stream id, partition count) -> partition."""


@dataclass(slots=True)
class _Watch:
    """Those who wait for one partition of one view; `task` looks for all of them."""

    waiting: list[tuple[int, asyncio.Future[None]]] = field(default_factory=list[tuple[int, "asyncio.Future[None]"]])
    reached: int = -1
    task: asyncio.Task[None] | None = None


class Freshness:
    """The wait behind `min_position`."""

    def __init__(
        self,
        pool: Pool,
        lookup: PositionLookup,
        partitions_of: PartitionsOf,
        partition_of: PartitionOf,
        seconds_max: float = WAIT_S_MAX,
    ) -> None:
        """`seconds_max`: how long anybody waits at most."""
        self._seconds_max = seconds_max
        self._pool = pool
        self._lookup = lookup
        self._partitions_of = partitions_of
        self._partition_of = partition_of
        self._watches: dict[tuple[str, str, int], _Watch] = {}

    async def wait(self, hospital: str, view: str, position: int, *, seconds_max: float = math.inf) -> None:
        """Returns when the view has handled the event at `position`; 0 does not wait.

        PositionAboveHead at once; WaitTimedOut with the position reached; RecordStopped where poison holds the record.
        """
        if position == 0:
            return
        found = await self._lookup.stream_at(hospital, position)
        if found is None:
            raise PositionAboveHead(hospital, position)
        partition = self._partition_of(found[0].bytes, await self._partitions_of(hospital))
        await self._reach((hospital, view, partition), position, min(seconds_max, self._seconds_max))
        await self._refuse_stopped(hospital, view, found[0], position)

    async def _reach(self, key: tuple[str, str, int], position: int, seconds_max: float) -> None:
        watch = self._watches.setdefault(key, _Watch())
        if watch.reached >= position and watch.task is not None:
            return
        waiter = asyncio.get_running_loop().create_future()
        watch.waiting.append((position, waiter))
        if watch.task is None:
            watch.task = asyncio.create_task(self._look(key, watch), name=f"freshness {key}")
        try:
            async with asyncio.timeout(seconds_max):
                await waiter
        except TimeoutError:
            raise WaitTimedOut(key[1], position, max(watch.reached, 0)) from None
        finally:
            watch.waiting = [(p, future) for p, future in watch.waiting if future is not waiter]

    async def _look(self, key: tuple[str, str, int], watch: _Watch) -> None:
        pause_s = _LOOK_AFTER_S_MIN
        try:
            while watch.waiting:
                before, watch.reached = watch.reached, await self._reached(*key)
                _wake(watch)
                pause_s = _LOOK_AFTER_S_MIN if watch.reached > before else min(pause_s * 1.5, _LOOK_AFTER_S_MAX)
                await asyncio.sleep(pause_s if watch.waiting else 0)
        except (psycopg.Error, ViewError) as error:
            for _, waiter in watch.waiting:
                if not waiter.done():
                    waiter.set_exception(error)
        finally:
            watch.task = None
            self._watches.pop(key, None)

    async def _reached(self, hospital: str, view: str, partition: int) -> int:
        try:
            async with borrowed(self._pool) as connection:
                cursor = await connection.execute(freshness_statements(hospital)["reached"], (view, partition))
                row = await cursor.fetchone()
        except psycopg.errors.UndefinedTable:
            row = None
        return row[0] if row else 0

    async def _refuse_stopped(self, hospital: str, view: str, stream_id: UUID, position: int) -> None:
        async with borrowed(self._pool) as connection:
            parameters = (view, stream_id, position)
            row = await (await connection.execute(freshness_statements(hospital)["stopped_at"], parameters)).fetchone()
        if row is not None:
            raise RecordStopped(view, str(stream_id), row[0])


def _wake(watch: _Watch) -> None:
    for position, waiter in watch.waiting:
        if position <= watch.reached and not waiter.done():
            waiter.set_result(None)
    watch.waiting = [(position, waiter) for position, waiter in watch.waiting if not waiter.done()]


class PartitionCounts:
    """The partition count of each hospital, read once: it never changes."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._known: dict[str, int] = {}

    async def __call__(self, hospital: str) -> int:
        """Partitions of a hospital's topic. ViewAbsent where there is no such hospital."""
        if hospital not in self._known:
            async with borrowed(self._pool) as connection:
                row = await (
                    await connection.execute(freshness_statements(hospital)["partitions"], (hospital,))
                ).fetchone()
            if row is None:
                raise ViewAbsent("", hospital)
            self._known[hospital] = row[0]
        return self._known[hospital]
