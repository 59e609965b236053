"""Waiting for a position: for exactly the partition of its event, and one look for all who wait."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from typing_extensions import override

from ledger.views.errors import WaitTimedOut
from projections.checkpoint import Checkpoint, CheckpointTable, Fenced, moved
from projections.department_board.view import DepartmentBoard
from projections.freshness import Freshness, PartitionCounts
from projections.generation import ensure_live, prepare
from projections.tables import shared_statements
from tests.contract.views import histories as h
from tests.contract.views.ground import PARTITIONS, Ground, partition_of

VIEW = DepartmentBoard()


@dataclass
class _Hand:
    """Moves a view's checkpoints by hand, partition by partition."""

    ground: Ground
    table: CheckpointTable
    at: dict[int, Checkpoint] = field(default_factory=dict[int, Checkpoint])

    async def handle(self, partition: int) -> None:
        batch = self.ground.delivered({number: each.position for number, each in self.at.items()}, partition)
        after = moved(self.at, batch)
        async with self.ground.pool.connection() as connection:
            await self.table.advance(connection, 1, self.at, after)
        self.at |= after


async def by_hand(ground: Ground) -> _Hand:
    table = CheckpointTable(shared_statements("north"), VIEW.name, 1)
    async with ground.pool.connection() as connection:
        await prepare(connection, "north")
        await ensure_live(connection, "north", VIEW, PARTITIONS)
        return _Hand(ground, table, await table.take_over(connection, 1))


def one_stream_per_partition() -> list[h.EventStream]:
    found: dict[int, h.EventStream] = {}
    while len(found) < PARTITIONS:
        stream = h.EventStream()
        found.setdefault(partition_of(stream.stream_id.bytes, PARTITIONS), stream)
    return [found[number] for number in range(PARTITIONS)]


async def test_who_waits_for_an_event_waits_for_its_partition_alone(ground: Ground) -> None:
    """Its partition at the position is enough, however far the others lag; theirs say nothing about it."""
    hand = await by_hand(ground)
    ground.append([stream.seal(h.registered()) for stream in one_stream_per_partition()])
    freshness = Freshness(ground.pool, ground, PartitionCounts(ground.pool), partition_of)
    await hand.handle(2)
    await freshness.wait("north", VIEW.name, 3)
    for position in (1, 2):
        with pytest.raises(WaitTimedOut) as caught:
            await freshness.wait("north", VIEW.name, position, seconds_max=0.2)
        assert caught.value.reached == 0
    await hand.handle(0)
    await freshness.wait("north", VIEW.name, 1)


async def test_one_look_serves_all_who_wait_for_a_partition(ground: Ground) -> None:
    """A hundred who wait ask the database about the checkpoint as one does: never two at a time."""
    await by_hand(ground)
    ground.append([h.EventStream().seal(h.registered())])
    counting = _Counting(ground.pool, ground, PartitionCounts(ground.pool), partition_of)
    waits = [asyncio.create_task(counting.wait("north", VIEW.name, 1, seconds_max=0.4)) for _ in range(100)]
    done = await asyncio.gather(*waits, return_exceptions=True)
    assert {type(each) for each in done} == {WaitTimedOut}
    assert counting.looks > 1
    assert counting.at_once_most == 1


class _Counting(Freshness):
    looks = 0
    at_once = 0
    at_once_most = 0

    @override
    async def _reached(self, hospital: str, view: str, partition: int) -> int:
        self.looks += 1
        self.at_once += 1
        self.at_once_most = max(self.at_once_most, self.at_once)
        try:
            return await super()._reached(hospital, view, partition)
        finally:
            self.at_once -= 1


async def test_the_old_position_alone_fences(ground: Ground) -> None:
    """Under the same epoch: whoever moves a checkpoint from a position at which it is no more changes nothing."""
    hand = await by_hand(ground)
    stream = h.EventStream()
    ground.append([stream.seal(h.registered()), stream.seal(h.moved_to("ICU"))])
    partition = partition_of(stream.stream_id.bytes, PARTITIONS)
    behind = dict(hand.at)
    await hand.handle(partition)
    async with ground.pool.connection() as connection:
        with pytest.raises(Fenced):
            await hand.table.advance(connection, 1, behind, {partition: replace(hand.at[partition], events=99)})
        assert (await hand.table.read(connection))[partition] == hand.at[partition]
