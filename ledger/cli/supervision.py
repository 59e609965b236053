"""Keeps the parts of a service running, each for itself: one that takes long to come back holds no other up."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

LOOK_SECONDS = 0.2
T = TypeVar("T")


class Server(Protocol):
    """A server of our own, started by a call that blocks."""

    def start(self) -> None:
        """Starts it and waits until it answers."""
        ...

    def interrupt(self) -> None:
        """Makes a start give up soon."""
        ...


@dataclass(frozen=True)
class Part:
    """One process of the service. `start` returns once it was started again; what it raises ends the service."""

    name: str
    alive: Callable[[], bool]
    start: Callable[[], Awaitable[None]]


async def keep_running(parts: Sequence[Part], restarted: Callable[[], None]) -> None:
    """Starts again whatever dies, until it is cancelled; `restarted` is told. Raises what a start raises."""
    keepers = [asyncio.create_task(_keep(part, restarted)) for part in parts]
    try:
        await asyncio.wait(keepers, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _ended(keepers)
    for keeper in keepers:
        if not keeper.cancelled() and (error := keeper.exception()):
            raise error


async def _keep(part: Part, restarted: Callable[[], None]) -> None:
    while True:
        if not part.alive():
            say(f"{part.name} died; starting it again on the same data")
            await part.start()
            restarted()
        await asyncio.sleep(LOOK_SECONDS)


async def start_server(server: Server) -> None:
    """Starts a server on a thread of its own; cancelled, it returns only once that thread has ended."""
    starting = asyncio.ensure_future(asyncio.to_thread(server.start))
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        server.interrupt()
        await asyncio.wait((starting,))
        if not starting.cancelled():
            starting.exception()  # taken note of: it was told to give up
        raise


async def work_until(end: Coroutine[Any, Any, object], work: Coroutine[Any, Any, T]) -> T | None:
    """Does the work; None where `end` came first and the work was cancelled. Raises what either raises."""
    working, ending = asyncio.create_task(work), asyncio.create_task(end)
    try:
        await asyncio.wait((working, ending), return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _ended((working, ending))
    if not ending.cancelled() and (error := ending.exception()):
        raise error
    return None if working.cancelled() else working.result()


async def _ended(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def say(line: str) -> None:
    """One loud line for whoever watches the service."""
    print(f"*** {line}", file=sys.stderr, flush=True)
