"""Waits until views have handled every event up to a head, in all partitions, however many come behind it meanwhile."""

import asyncio
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

import psycopg

from ledger.views.errors import ViewsUnreadable, WaitTimedOut
from projections.connections import Pool, borrowed
from projections.feed import LedgerTail
from projections.freshness import WAIT_S_MAX, PartitionOf
from projections.tables import freshness_statements

BEHIND_HEAD_MAX = 200_000
"""Events behind the head that one wait reads, 16 bytes of each."""
_LOOK_AFTER_S = 0.05


class Reached(NamedTuple):
    """How far a view is in one partition."""

    partition: int
    position: int
    events: int


def farthest(reached: Sequence[Reached]) -> int:
    """The last position that is handled in any partition."""
    return max((each.position for each in reached), default=0)


@dataclass(slots=True)
class BehindHead:
    """What has come behind a head since it was read, by partition: what of it is handled fills no gap before it."""

    head: int
    partition_of: PartitionOf
    partitions: int = 0
    streams: list[UUID] = field(default_factory=list[UUID])
    positions: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict[int, list[int]](list))

    @property
    def through(self) -> int:
        """Up to which position it is known."""
        return self.head + len(self.streams)

    def lay_out(self, partitions: int) -> None:
        """For a view that was built from a stream of so many partitions."""
        if partitions != self.partitions:
            known, self.partitions, self.streams = self.streams, partitions, []
            self.positions.clear()
            self.add(known)

    def add(self, streams: Sequence[UUID]) -> None:
        """The streams of the next events."""
        for position, stream in enumerate(streams, self.through + 1):
            self.positions[self.partition_of(stream.bytes, self.partitions)].append(position)
        self.streams += streams

    def handled_before(self, reached: Sequence[Reached]) -> int:
        """How many events up to the head are handled."""
        behind = sum(bisect_right(self.positions[each.partition], each.position) for each in reached)
        # What is not known is taken for handled: rather one look too many than an event too few.
        unknown = max(0, farthest(reached) - self.through)
        return sum(each.events for each in reached) - behind - unknown


class Completeness:
    """The wait of those who must miss nothing: counts say that no partition lacks an event, as positions cannot."""

    def __init__(
        self, pool: Pool, tail: LedgerTail, partition_of: PartitionOf, seconds_max: float = WAIT_S_MAX
    ) -> None:
        self._pool = pool
        self._tail = tail
        self._partition_of = partition_of
        self._seconds_max = seconds_max

    async def wait(self, hospital: str, views: Sequence[str], head: int) -> None:
        """Returns when each view has handled every event up to `head`. WaitTimedOut with the count; ViewsUnreadable."""
        until = asyncio.get_running_loop().time() + self._seconds_max
        behind = BehindHead(head, self._partition_of)
        for view in views:
            while (handled := await self._handled(hospital, view, behind)) < head:
                if asyncio.get_running_loop().time() > until:
                    raise WaitTimedOut(view, head, max(handled, 0))
                await asyncio.sleep(_LOOK_AFTER_S)

    async def _handled(self, hospital: str, view: str, behind: BehindHead) -> int:
        reached = await self._reached(hospital, view)
        if not reached:  # it was never built
            return 0
        behind.lay_out(len(reached))
        if sum(each.events for each in reached) >= behind.head:
            await self._read_on(hospital, behind, farthest(reached))
        return behind.handled_before(reached)

    async def _read_on(self, hospital: str, behind: BehindHead, through: int) -> None:
        while behind.through < min(through, behind.head + BEHIND_HEAD_MAX):
            found = await self._tail.streams_between(hospital, behind.through, through)
            if not found:
                return
            behind.add(found)

    async def _reached(self, hospital: str, view: str) -> list[Reached]:
        try:
            async with borrowed(self._pool) as connection:
                cursor = await connection.execute(freshness_statements(hospital)["all_reached"], (view,))
                return [Reached(*row) for row in await cursor.fetchall()]
        except psycopg.errors.UndefinedTable:
            return []
        except psycopg.ProgrammingError as error:
            raise ViewsUnreadable(hospital) from error
