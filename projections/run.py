"""The one runner: follows the registry and gives a session to every view that is behind its hospital's head."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg

from ledger.stream.contract import StreamError
from ledger.views.view import View
from projections.checkpoint import Fenced
from projections.heads import HospitalHead, Standing, heads, standing
from projections.hints import HeadHints
from projections.projector import ViewStopped
from projections.rebuild import RebuildUnderWay, rebuild
from projections.session import Tools, project_while_busy

_log = logging.getLogger(__name__)
_RESTART_S = 1.0
_SESSIONS_MAX = 128

Key = tuple[str, str]


@dataclass(slots=True)
class Runner:
    """Sessions by (hospital, view). A hospital at rest has none: no task, no feed, no connection."""

    tools: Tools
    views: Sequence[View]
    hints: HeadHints
    _sessions: dict[Key, asyncio.Task[None]] = field(default_factory=dict[Key, "asyncio.Task[None]"])
    _at_rest: dict[Key, int] = field(default_factory=dict[Key, int])
    _refused: frozenset[str] = frozenset()

    async def run(self, stop: asyncio.Event, ready: asyncio.Event) -> None:
        """Runs until `stop`, looking each second, or on a hint; sets `ready` after the first look at the registry."""
        try:
            while not stop.is_set():
                await self._sweep(stop)
                ready.set()
                await self.hints.wait(self.tools.pace.sweep_s, stop)
        finally:
            await asyncio.gather(*self._sessions.values())

    async def _sweep(self, stop: asyncio.Event) -> None:
        try:
            async with self.tools.pool.connection() as connection:
                found = await heads(connection)
            self._say_refused(found.refused)
            for hospital in found.served:
                for view in self.views:
                    await self._start(hospital, view, stop)
        except psycopg.OperationalError as error:
            _log.warning("the views' database is out of reach", extra={"error": type(error).__name__})

    def _say_refused(self, refused: frozenset[str]) -> None:
        for hospital in sorted(refused - self._refused):
            _log.error("this release does not serve the schema of a hospital", extra={"hospital": hospital})
        self._refused = refused

    async def _start(self, hospital: HospitalHead, view: View, stop: asyncio.Event) -> None:
        key = (hospital.id, view.name)
        if key in self._sessions or len(self._sessions) >= _SESSIONS_MAX:
            return
        if self._at_rest.get(key) == hospital.position:
            return
        where = await standing(self.tools.pool, hospital, view)
        if where in (Standing.BEHIND, Standing.OUTDATED):
            session = self._session(key, hospital, view, stop, outdated=where is Standing.OUTDATED)
            self._sessions[key] = asyncio.create_task(session, name=f"view {key}")
        elif where is Standing.AT_HEAD:
            self._at_rest[key] = hospital.position

    async def _session(
        self, key: Key, hospital: HospitalHead, view: View, stop: asyncio.Event, *, outdated: bool
    ) -> None:
        about = {"hospital": hospital.id, "view": view.name}
        again_at_once = False
        try:
            if outdated:
                await rebuild(self.tools, hospital.id, hospital.partitions, view)
            again_at_once = await project_while_busy(self.tools, hospital, view, stop, self._patience_s)
        except ViewStopped:
            _log.error("view stopped: too many stopped records", extra=about)
        except (Fenced, RebuildUnderWay):
            _log.warning("view is in the hands of another projector", extra=about)
        except (StreamError, psycopg.OperationalError) as error:
            fault = str(error) if isinstance(error, StreamError) else type(error).__name__
            _log.warning("view waits for what it reads or writes", extra=about | {"error": fault})
        except Exception:  # noqa: BLE001 - one view of one hospital must not end the others
            _log.exception("view session ended; it is begun again", extra=about)
        finally:
            if not again_at_once:
                await _pause(stop, _RESTART_S)
            self._sessions.pop(key, None)

    def _patience_s(self) -> float:
        crowded = len(self._sessions) > _SESSIONS_MAX // 2
        return self.tools.pace.poll_s if crowded else self.tools.pace.idle_s


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
