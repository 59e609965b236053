"""Maps that are made again: one at a time, whoever has stopped waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ledger.blobs.directory import DirectoryBlobs
from ledger.log.log_files import LogFiles
from ledger.log.own_heads import PublishedHead
from ledger.log.record_maps import RecordMaps
from ledger.server.map_choice import MapChoice
from ledger.server.published_log import PublishedLog
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.map_tree import MapTree
from ledger.trust.pack_making import PublishedMap
from tests.eventually import eventually_async
from tests.unit.trust.sample_ledger import filled, record_id

SIZES = FIRST, SECOND, NEWEST = 10, 12, 14
"""Of the maps; each is published by the event after it."""
LOOKED_SECONDS = 0.3
"""So long a build that must not begin had time to."""


class SlowMaps(RecordMaps):
    """Making one again lasts until it is let go."""

    def __init__(self, blobs: DirectoryBlobs) -> None:
        super().__init__(blobs, "north")
        self.begun: list[int] = []
        self.at_once = self.at_once_most = 0
        self.let_go = threading.Event()

    def earlier(self, size: int, head: Checkpoint) -> MapTree | None:
        self.begun.append(size)
        self.at_once += 1
        self.at_once_most = max(self.at_once_most, self.at_once)
        try:
            assert self.let_go.wait(20)
            return super().earlier(size, head)
        finally:
            self.at_once -= 1


class Ground:
    """A published log whose newest map alone is kept."""

    def __init__(self, folder: Path) -> None:
        ledger = filled(3, FIRST, sealed=False)
        made: list[PublishedMap] = [ledger.publish_map()]
        for size in (SECOND, NEWEST):
            ledger.append(record_id(size - FIRST))
            made.append(ledger.publish_map(size=size))
        ledger.integrate()
        blobs = DirectoryBlobs(folder)
        for path, data in ledger.files.items():
            blobs.put(f"north/{path}", data)
        blobs.put("north/map/published", f"{NEWEST} {NEWEST + 1}\n".encode())
        note = ledger.checkpoint()
        self.log = PublishedLog(LogFiles(blobs, "north"), PublishedHead(note, parse_checkpoint(note.text)))
        self.kept: dict[int, PublishedMap] = dict(zip(SIZES, made, strict=True))
        self.maps = SlowMaps(blobs)
        self.choice = MapChoice()

    def ask(self, size: int) -> asyncio.Task[PublishedMap]:
        """A caller that wants the map of a size."""
        return asyncio.create_task(self.choice.of(self.log, self.maps, size + 1))

    async def begun(self, size: int) -> None:
        """Waits until that map is being made."""

        async def has_begun() -> bool:
            return size in self.maps.begun

        await eventually_async(has_begun, what=f"the map of {size} being made")

    async def gone_while_made(self, size: int) -> None:
        """A caller that asks, and goes away while its map is being made."""
        caller = self.ask(size)
        await self.begun(size)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller

    def is_right(self, made: PublishedMap, size: int) -> bool:
        """Whether that is the map that was published, by its event and its root."""
        kept = self.kept[size]
        return (made.published.event.envelope, made.read("tile/2/000.p/1")) == (
            kept.published.event.envelope,
            kept.read("tile/2/000.p/1"),
        )


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncGenerator[Ground]:
    made = Ground(tmp_path)
    yield made
    made.maps.let_go.set()  # a test that fails leaves no thread behind


async def test_a_caller_that_goes_away_lets_no_second_map_be_made_beside_its_own(ground: Ground) -> None:
    """A thread cannot be stopped: what is under way ends first, and whoever asks next waits for that."""
    await ground.gone_while_made(FIRST)
    second = ground.ask(SECOND)
    await asyncio.sleep(LOOKED_SECONDS)
    assert ground.maps.begun == [FIRST]
    ground.maps.let_go.set()
    assert ground.is_right(await second, SECOND)
    assert (ground.maps.begun, ground.maps.at_once_most) == ([FIRST, SECOND], 1)


async def test_what_a_caller_left_serves_the_next_one(ground: Ground) -> None:
    """The map that was under way is not made once more; one that nobody waits for any more is not begun."""
    await ground.gone_while_made(FIRST)
    same, gone = ground.ask(FIRST), ground.ask(SECOND)
    await asyncio.sleep(LOOKED_SECONDS)
    gone.cancel()
    await asyncio.wait([gone])
    ground.maps.let_go.set()
    assert ground.is_right(await same, FIRST)
    assert ground.is_right(await ground.ask(FIRST), FIRST)
    assert ground.maps.begun == [FIRST]


async def test_making_maps_takes_no_thread_from_what_reads_the_log(ground: Ground) -> None:
    """However many wait for maps, files are read beside them: here by the loop's only thread."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    first, second = ground.ask(FIRST), ground.ask(SECOND)
    await ground.begun(FIRST)
    async with asyncio.timeout(5):
        assert (await ground.log.event(NEWEST + 1))[0] == ground.kept[NEWEST].published.event.envelope
    ground.maps.let_go.set()
    assert ground.is_right(await first, FIRST)
    assert ground.is_right(await second, SECOND)
