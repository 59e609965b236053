"""The role `publish`: follows the registry, and gives a publisher to every hospital that has something to publish."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from ledger.config import Settings
from ledger.lease import Leases, lease_pool
from ledger.lease.places import Place, Places
from ledger.log.own_heads import OwnLogs
from ledger.publisher import metrics
from ledger.publisher.ending import end
from ledger.publisher.hospital_publisher import HospitalPublisher
from ledger.publisher.kafka_sink import KafkaSink
from ledger.publisher.ledger_log import HospitalRow, LedgerLog, log_pool
from ledger.publisher.routing import Routing
from ledger.publisher.signed_standing import SignedStanding
from ledger.publisher.sink import PostgresSink, Sink
from ledger.trust.sealing import Opener
from ledger.views.schema_versions import SCHEMA_VERSIONS

SWEEP_SECONDS = 1.0
SWEEP_SECONDS_MIN = 0.05

_log = logging.getLogger(__name__)


async def run_publisher(
    settings: Settings,
    opener: Opener,
    stop: asyncio.Event,
    ready: Callable[[], None],
    logs: OwnLogs | None = None,
) -> None:
    """Publishes every hospital until `stop` is set; `ready` is called after the first look at the registry.

    `logs`: the hospitals' logs, with which each ledger is compared; None where none are kept.
    """
    url = settings.postgres_stream_url
    async with log_pool(url) as pool, lease_pool(url) as lease_connections:
        log, routing = LedgerLog(pool), Routing(opener)

        def make_sink(hospital: HospitalRow) -> Sink:
            if settings.stream == "kafka":
                return KafkaSink(settings.kafka_bootstrap, log, hospital, routing)
            return PostgresSink(log, hospital, routing)

        places = Places(settings.producers_max, settings.producer_idle_seconds)
        # What stands in the same database as the ledger is not lost without it; a topic is.
        look_first = settings.stream == "kafka"
        sweeper = Sweeper(
            log, Leases(lease_connections.connection), make_sink, places, look_first=look_first, logs=logs
        )
        hints = asyncio.create_task(sweeper.listen(url), name="head hints")
        try:
            await sweeper.run(stop, ready)
        finally:
            await end(hints)


class Sweeper:
    """Looks over all heads once a second and on hints; a hospital at rest has no task, lease or producer."""

    def __init__(
        self,
        log: LedgerLog,
        leases: Leases,
        make_sink: Callable[[HospitalRow], Sink],
        places: Places,
        *,
        look_first: bool,
        logs: OwnLogs | None = None,
    ) -> None:
        """`look_first`: every hospital's sink is opened once, whether there is something to publish or not."""
        self._log = log
        self._leases = leases
        self._make_sink = make_sink
        self._look_first = look_first
        self._logs = logs
        self._unreadable: set[str] = set()
        self._publishers: dict[str, HospitalPublisher] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._places = places
        self._hinted = asyncio.Event()

    async def run(self, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Until `stop` is set."""
        first = True
        try:
            while not stop.is_set():
                try:
                    await self._sweep(stop)
                    if first:
                        ready()
                        first = False
                except (psycopg.Error, PoolTimeout) as error:
                    _log.error("the ledger's database is out of reach", extra={"error": type(error).__name__})
                await self._wait(stop)
        finally:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _sweep(self, stop: asyncio.Event) -> None:
        hospitals = {each.id: each for each in await self._log.hospitals()}
        served = [each.id for each in hospitals.values() if each.schema_version in SCHEMA_VERSIONS]
        heads, progress = await self._log.heads(served), await self._log.all_progress()
        self._say_unreadable(hospitals, hospitals.keys() - heads.keys())
        wanting = [
            each
            for each, head in heads.items()
            if each not in self._tasks and self._wants(self._publisher(hospitals[each]), head, progress.get(each, 0))
        ]
        for place in self._places.take(wanting):
            self._start(place, stop)

    def _wants(self, publisher: HospitalPublisher, head: int, progress: int) -> bool:
        """Whether there is something to do: to publish, to look, or to see why the ledger has become shorter."""
        if publisher.rest_seconds > 0:
            return False
        return head != progress or (self._look_first and not publisher.looked)

    def _say_unreadable(self, hospitals: Mapping[str, HospitalRow], unreadable: set[str]) -> None:
        for hospital in sorted(unreadable - self._unreadable):
            metrics.refused.labels(hospital).set(1)
            about = {"hospital": hospital, "schema_version": hospitals[hospital].schema_version}
            _log.error("a hospital's ledger is missing or must not be read; others go on", extra=about)
        for hospital in self._unreadable - unreadable:
            metrics.refused.labels(hospital).set(0)
        self._unreadable = unreadable

    def _publisher(self, hospital: HospitalRow) -> HospitalPublisher:
        known = self._publishers.get(hospital.id)
        if known is None or known.origin != hospital.origin:
            standing = None if self._logs is None else SignedStanding(hospital, self._log, self._logs)
            made = HospitalPublisher(hospital, self._log, self._leases, self._make_sink, standing)
            self._publishers[hospital.id] = made
        return self._publishers[hospital.id]

    def _start(self, place: Place, stop: asyncio.Event) -> None:
        hospital = place.hospital
        task = asyncio.create_task(self._publishers[hospital].run(stop, place), name=f"publish {hospital}")
        task.add_done_callback(lambda done: self._ended(hospital, done))
        self._tasks[hospital] = task
        metrics.hospitals_open.set(len(self._places))

    def _ended(self, hospital: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(hospital, None)
        self._places.give_up(hospital)
        metrics.hospitals_open.set(len(self._places))
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a publisher ended; it is begun again", extra={"hospital": hospital}, exc_info=error)
        if self._publishers[hospital].rest_seconds > 0 or self._places.awaited:
            self._hinted.set()  # so that the wait under way learns of the rest, or of the free place

    async def _wait(self, stop: asyncio.Event) -> None:
        swept = time.monotonic()
        # Whoever rests after a failure is not kept waiting for the next sweep on top of it.
        rests = [each.rest_seconds for each in self._publishers.values() if each.rest_seconds > 0]
        waits = [asyncio.create_task(self._hinted.wait()), asyncio.create_task(stop.wait())]
        await asyncio.wait(waits, timeout=min([SWEEP_SECONDS, *rests]), return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()
        # Hints of hospitals that another process publishes must not become a sweep each.
        await asyncio.sleep(max(0.0, SWEEP_SECONDS_MIN - (time.monotonic() - swept)))
        self._hinted.clear()

    async def listen(self, url: str) -> None:
        """Hears hints for ever on a connection of its own; hints may be lost, the sweep finds what they missed."""
        while True:
            try:
                async with await AsyncConnection.connect(url, autocommit=True, connect_timeout=5) as connection:
                    await connection.execute("LISTEN ledger_head")
                    async for notice in connection.notifies():
                        self._hear(notice.payload.partition(" ")[0])
            except psycopg.OperationalError as error:
                _log.warning("hints out of reach", extra={"error": type(error).__name__})
            await asyncio.sleep(SWEEP_SECONDS)

    def _hear(self, hospital: str) -> None:
        if hospital in self._tasks:
            self._publishers[hospital].hint()
        else:
            self._hinted.set()
