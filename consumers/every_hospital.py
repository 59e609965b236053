"""Runs a consumer for every hospital of the registry, and takes up a new one while it runs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import grpc

from consumers.checkpoint_file import BadCheckpoint
from consumers.dead_letters import DeadLetterLimit
from consumers.patience import ServiceUnavailable
from consumers.registry import Registry
from ledger.stream.contract import StreamUnavailable

_log = logging.getLogger(__name__)
_SWEEP_SECONDS = 1.0
_PAUSE_SECONDS_MAX = 5.0
_END_SECONDS_MAX = 5.0

READERS_MAX = 16
"""Topics that are read at the same time; with more hospitals those at rest give their place to the next."""

Follow = Callable[[str, asyncio.Event, Callable[[], bool]], Awaitable[None]]
"""Follows one hospital's topic until the event is set, or until it is at rest and others wait."""


@dataclass(slots=True)
class EveryHospital:
    """One task per hospital. A hospital whose consumer fails is begun again alone, after a growing pause."""

    registry: Registry
    follow: Follow
    only: str | None = None
    """Only this hospital; None = every one."""
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(READERS_MAX))
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict[str, "asyncio.Task[None]"])

    async def run(self, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Runs until `stop`; calls `ready` once the hospitals known by then are followed."""
        try:
            while not stop.is_set():
                try:
                    await self._sweep(stop)
                    ready()
                except ServiceUnavailable as error:
                    _log.warning("the registry is out of reach", extra={"why": str(error)})
                await _wait(stop, _SWEEP_SECONDS)
        finally:
            stop.set()
            await self._end()

    async def _sweep(self, stop: asyncio.Event) -> None:
        for hospital in await self.registry.all_ids():
            if hospital not in self._tasks and self.only in (None, hospital):
                self._tasks[hospital] = asyncio.create_task(self._one(hospital, stop), name=f"transfers {hospital}")
        for task in self._tasks.values():
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error

    async def _one(self, hospital: str, stop: asyncio.Event) -> None:
        pause = _SWEEP_SECONDS
        while not stop.is_set():
            try:
                async with self._places:
                    await self.follow(hospital, stop, self._others_wait)
            except (DeadLetterLimit, BadCheckpoint) as error:
                _log.error("consumer stopped until somebody looks", extra={"hospital": hospital, "why": str(error)})
                return
            except (ServiceUnavailable, StreamUnavailable) as error:
                _log.warning("consumer begins again", extra={"hospital": hospital, "why": str(error)})
                await _wait(stop, pause)
                pause = min(pause * 2, _PAUSE_SECONDS_MAX)
            except grpc.aio.AioRpcError as error:
                _log.error("consumer begins again", extra={"hospital": hospital, "why": error.code().name})
                await _wait(stop, pause)
                pause = min(pause * 2, _PAUSE_SECONDS_MAX)

    async def _end(self) -> None:
        """A follower that is let end closes its reader itself, and no thread reads from it any more."""
        tasks = self._tasks.values()
        if tasks:
            await asyncio.wait(tasks, timeout=_END_SECONDS_MAX)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _others_wait(self) -> bool:
        return len(self._tasks) > READERS_MAX


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
