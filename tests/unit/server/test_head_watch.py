"""The shared watch over a hospital's head."""

import asyncio

import pytest

from ledger.server.errors import ServerStopping
from ledger.server.head_watch import HeadWatch


class Heads:
    """Heads as a store would have them, and how often they were read."""

    def __init__(self) -> None:
        self.position = 7
        self.reads = 0
        self.fault: Exception | None = None

    async def read(self, hospital: str) -> int:
        assert hospital == "north"
        self.reads += 1
        if self.fault:
            raise self.fault
        return self.position


async def test_many_followers_share_one_watch_and_an_unfollowed_hospital_has_none() -> None:
    """A thousand idle followers cost as much as one; without followers nothing runs."""
    heads = Heads()
    watch = HeadWatch(heads.read)

    async def follow() -> int:
        async with watch.follow("north") as follower:
            await follower.beyond(6)
            return await follower.beyond(7)

    followers = [asyncio.create_task(follow()) for _ in range(1000)]
    async with watch.follow("north") as first:
        await first.beyond(0)
        reads = heads.reads
        watch.notice("north", 8)
        assert await asyncio.gather(*followers) == [8] * 1000
        assert heads.reads <= reads + 1
        assert watch.hospitals_watched == 1
    assert watch.hospitals_watched == 0


async def test_what_another_process_appends_is_found_by_looking() -> None:
    """Without any hint a follower learns of a new head within about a second."""
    heads = Heads()
    watch = HeadWatch(heads.read)
    async with watch.follow("north") as follower:
        await follower.beyond(0)
        heads.position = 9
        async with asyncio.timeout(30):
            assert await follower.beyond(7) == 9


async def test_a_fault_reaches_every_follower_and_the_next_one_starts_afresh() -> None:
    """Nobody waits for ever for a store that could not be asked."""
    heads = Heads()
    heads.fault = OSError("gone")
    watch = HeadWatch(heads.read)
    async with watch.follow("north") as follower:
        with pytest.raises(OSError, match="gone"):
            await follower.beyond(0)
        heads.fault = None
        async with watch.follow("north") as later:
            assert await later.beyond(0) == 7
    assert watch.hospitals_watched == 0


async def test_closing_ends_every_wait() -> None:
    """A stop of the server is not held up by those who follow a ledger."""
    watch = HeadWatch(Heads().read)
    async with watch.follow("north") as follower:
        waiting = asyncio.create_task(follower.beyond(7))
        await follower.beyond(0)
        watch.close()
        with pytest.raises(ServerStopping):
            await waiting
    with pytest.raises(ServerStopping):
        async with watch.follow("north"):
            pass


async def test_a_follower_that_is_cancelled_leaves_the_others_alone() -> None:
    """One client that goes away is not everybody's end."""
    watch = HeadWatch(Heads().read)
    async with watch.follow("north") as follower:
        leaving = asyncio.create_task(follower.beyond(7))
        staying = asyncio.create_task(follower.beyond(7))
        await follower.beyond(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        watch.notice("north", 8)
        assert await staying == 8
