"""The one runner: follows the registry and gives a session to every view that is behind its hospital's head."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg

from ledger.views.view import View
from projections.checkpoint import Fenced
from projections.dead_letters import ViewStopped
from projections.heads import HospitalHead, heads, view_is_behind
from projections.session import Tools, project_while_busy

_log = logging.getLogger(__name__)
_RESTART_S = 1.0

Key = tuple[str, str]


@dataclass(slots=True)
class Runner:
    """Sessions by (hospital, view). A hospital at rest has none: no task, no feed, no connection."""

    tools: Tools
    views: Sequence[View]
    _sessions: dict[Key, asyncio.Task[None]] = field(default_factory=dict[Key, "asyncio.Task[None]"])
    _handled: dict[Key, int] = field(default_factory=dict[Key, int])

    async def run(self, stop: asyncio.Event, ready: asyncio.Event) -> None:
        """Runs until `stop`; sets `ready` after the first look at the registry."""
        try:
            while not stop.is_set():
                await self._sweep(stop)
                ready.set()
                await _wait(stop, self.tools.pace.sweep_s)
        finally:
            await self._end()

    async def _sweep(self, stop: asyncio.Event) -> None:
        try:
            async with self.tools.pool.connection() as connection:
                found = await heads(connection)
        except (psycopg.OperationalError, TimeoutError) as error:
            _log.warning("registry out of reach", extra={"error": type(error).__name__})
            return
        for hospital in found:
            for view in self.views:
                await self._start(hospital, view, stop)

    async def _start(self, hospital: HospitalHead, view: View, stop: asyncio.Event) -> None:
        key = (hospital.id, view.name)
        if key in self._sessions or self._handled.get(key) == hospital.position:
            return
        if await view_is_behind(self.tools.pool, hospital, view):
            self._sessions[key] = asyncio.create_task(self._session(key, hospital, view, stop), name=f"view {key}")
        else:
            self._handled[key] = hospital.position

    async def _session(self, key: Key, hospital: HospitalHead, view: View, stop: asyncio.Event) -> None:
        about = {"hospital": hospital.id, "view": view.name}
        try:
            await project_while_busy(self.tools, hospital.id, hospital.partitions, view, stop)
        except ViewStopped as error:
            _log.error("view stopped: too many stopped records", extra=about | {"stopped": error.stopped})  # noqa: TRY400
        except Fenced:
            _log.warning("view handed over to another projector", extra=about)
        except Exception:
            _log.exception("view session ended; it will be begun again", extra=about)
        finally:
            self._handled.pop(key, None)
            await _wait(stop, _RESTART_S)
            self._sessions.pop(key, None)

    async def _end(self) -> None:
        await asyncio.gather(*self._sessions.values(), return_exceptions=True)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
