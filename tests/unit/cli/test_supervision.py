"""The parts of a service are watched apart, and a start can be given up."""

from __future__ import annotations

import asyncio
import threading

import pytest

from ledger.cli.supervision import Part, keep_running, start_server, work_until


class SlowServer:
    """A server whose start blocks until it is interrupted, as a broker's does that does not answer."""

    def __init__(self) -> None:
        self.starting = threading.Event()
        self.ended = threading.Event()
        self._interrupted = threading.Event()

    def start(self) -> None:
        """Blocks; gives up when interrupted."""
        self.starting.set()
        self._interrupted.wait(30)
        self.ended.set()
        raise RuntimeError("gave up")

    def interrupt(self) -> None:
        """Makes the start give up."""
        self._interrupted.set()


async def test_a_part_that_comes_back_slowly_holds_no_other_up() -> None:
    """While one start blocks, another part that died is started again; the end waits for the blocked one to give up."""
    slow, started = SlowServer(), asyncio.Event()

    async def start() -> None:
        started.set()

    def quick_lives() -> bool:
        """Dies once the slow one is in the middle of its start."""
        return started.is_set() or not slow.starting.is_set()

    parts = [Part("slow", lambda: False, lambda: start_server(slow)), Part("quick", quick_lives, start)]
    keeping = asyncio.create_task(keep_running(parts, lambda: None))
    await asyncio.wait_for(started.wait(), 30)
    assert not slow.ended.is_set()
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert slow.ended.is_set()


async def test_a_part_that_cannot_come_back_ends_the_watch() -> None:
    """What a start raises is raised."""

    async def fail() -> None:
        raise RuntimeError("died too often")

    with pytest.raises(RuntimeError, match="died too often"):
        await keep_running([Part("one", lambda: False, fail), Part("other", lambda: True, fail)], lambda: None)


async def test_work_is_cancelled_where_its_end_comes_first() -> None:
    """None for work that was cut short, its clean-up done; the result of work that was not."""
    stop, cleaned = asyncio.Event(), asyncio.Event()

    async def work() -> int:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()
        return 1

    working = asyncio.create_task(work_until(stop.wait(), work()))
    stop.set()
    assert await asyncio.wait_for(working, 30) is None
    assert cleaned.is_set()
    assert await work_until(asyncio.Event().wait(), asyncio.sleep(0, 7)) == 7
