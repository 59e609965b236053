"""The one runner: follows the registry and gives a session to every view that is behind its hospital's head."""

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import psycopg

from ledger.stream.contract import GapFound, StreamError
from ledger.views.view import View
from projections.checkpoint import Fenced
from projections.faults import note_fault
from projections.generation import prepare
from projections.heads import HospitalHead, Standing, heads, standing
from projections.hints import HeadHints
from projections.projector import ViewStopped
from projections.rebuild import RebuildStalled, RebuildUnderWay, rebuild
from projections.session import Tools, project_while_busy

_log = logging.getLogger(__name__)
_RESTART_S = 1.0
_GAP_RESTART_S = 30.0
"""A gap was looked for from the start of the partition: that is not done again at once."""
_SESSIONS_MAX = 128

Key = tuple[str, str]


@dataclass(slots=True)
class Runner:
    """Sessions by (hospital, view). A hospital at rest has none: no task, no feed, no connection."""

    tools: Tools
    views: Sequence[View]
    hints: HeadHints
    sessions_max: int = _SESSIONS_MAX
    _sessions: dict[Key, asyncio.Task[None]] = field(default_factory=dict[Key, "asyncio.Task[None]"])
    _at_rest: dict[Key, int] = field(default_factory=dict[Key, int])
    _refused: frozenset[str] = frozenset()
    _started_at: dict[Key, float] = field(default_factory=dict[Key, float])
    _not_before: dict[Key, float] = field(default_factory=dict[Key, float])
    _prepared: set[str] = field(default_factory=set[str])
    _unreadable: frozenset[str] = frozenset()

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
        unreadable: set[str] = set()
        try:
            async with self.tools.pool.connection() as connection:
                found = await heads(connection)
            self._say_refused(found.refused)
            for hospital, view in self._by_turn(found.readable):
                try:
                    await self._start(hospital, view, stop)
                except psycopg.ProgrammingError:
                    unreadable.add(hospital.id)
        except psycopg.OperationalError as error:
            _log.warning("the views' database is out of reach", extra={"error": type(error).__name__})
            return
        self._say_unreadable(found.unreadable.union(unreadable))

    def _by_turn(self, hospitals: Iterable[HospitalHead]) -> list[tuple[HospitalHead, View]]:
        """Whoever has waited longest first, so that many that fail cannot keep the others from their place."""
        pairs = [(hospital, view) for hospital in hospitals for view in self.views]
        return sorted(pairs, key=lambda pair: self._started_at.get((pair[0].id, pair[1].name), 0.0))

    def _say_refused(self, refused: frozenset[str]) -> None:
        for hospital in sorted(refused - self._refused):
            _log.error("this release does not serve the schema of a hospital", extra={"hospital": hospital})
        self._refused = refused

    async def _start(self, hospital: HospitalHead, view: View, stop: asyncio.Event) -> None:
        key = (hospital.id, view.name)
        if key in self._sessions or len(self._sessions) >= self.sessions_max:
            return
        if self._at_rest.get(key) == hospital.position or self._not_before.get(key, 0.0) > time.monotonic():
            return
        if hospital.id not in self._prepared:
            async with self.tools.pool.connection() as connection:
                await prepare(connection, hospital.id)
            self._prepared.add(hospital.id)
        partitions = self.tools.stream_partitions(hospital.partitions)
        where = await standing(self.tools.pool, hospital, view, partitions)
        if where in (Standing.BEHIND, Standing.OUTDATED):
            session = self._session(key, hospital, view, stop, outdated=where is Standing.OUTDATED)
            self._started_at[key] = time.monotonic()
            self._sessions[key] = asyncio.create_task(session, name=f"view {key}")
        elif where is Standing.AT_HEAD:
            self._at_rest[key] = hospital.position

    async def _session(
        self, key: Key, hospital: HospitalHead, view: View, stop: asyncio.Event, *, outdated: bool
    ) -> None:
        # What failed waits without a place: others have their turn meanwhile.
        pause_s = _RESTART_S
        try:
            if await self._follow(hospital, view, stop, outdated=outdated):
                pause_s = 0.0
        except GapFound as gap:
            pause_s = _GAP_RESTART_S
            await self._say_gap(hospital, view, gap)
        except Exception as error:  # noqa: BLE001 - one view of one hospital must not end the others
            self._prepared.discard(hospital.id)
            _say_ended(error, {"hospital": hospital.id, "view": view.name})
        finally:
            self._not_before[key] = time.monotonic() + pause_s
            self._sessions.pop(key, None)

    async def _follow(self, hospital: HospitalHead, view: View, stop: asyncio.Event, *, outdated: bool) -> bool:
        if outdated:
            about = {"hospital": hospital.id, "view": view.name}
            _log.warning("view is built anew: another release or another stream than it was built from", extra=about)
            await rebuild(self.tools, hospital.id, hospital.partitions, view)
        return await project_while_busy(self.tools, hospital, view, stop, self._patience_s)

    async def _say_gap(self, hospital: HospitalHead, view: View, gap: GapFound) -> None:
        about = {"hospital": hospital.id, "view": view.name, "error": str(gap)}
        _log.error("view stands still: events are missing on the published stream", extra=about)
        try:
            async with self.tools.pool.connection() as connection:
                await note_fault(connection, hospital.id, view, "gap")
        except psycopg.Error as error:
            _say_ended(error, about)

    def _say_unreadable(self, unreadable: frozenset[str]) -> None:
        for hospital in sorted(unreadable - self._unreadable):
            _log.error("a hospital's views are missing or closed to us; others go on", extra={"hospital": hospital})
        self._unreadable = unreadable

    def _patience_s(self) -> float:
        crowded = len(self._sessions) > self.sessions_max // 2
        return self.tools.pace.poll_s if crowded else self.tools.pace.idle_s


def _say_ended(error: Exception, about: dict[str, str]) -> None:
    match error:
        case ViewStopped():
            _log.error("view stopped: too many stopped records", extra=about)
        case Fenced() | RebuildUnderWay():
            _log.warning("view is in the hands of another projector", extra=about)
        case StreamError() | RebuildStalled():
            _log.warning("view waits for what it reads or writes", extra=about | {"error": str(error)})
        case psycopg.OperationalError():
            _log.warning("view waits for what it reads or writes", extra=about | {"error": type(error).__name__})
        case _:
            _log.error("view session ended; it is begun again", extra=about, exc_info=error)
