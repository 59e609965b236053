"""The role `publish`: follows the registry, and gives a publisher to every hospital that has something to publish."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from ledger.config import Settings
from ledger.lease import Leases
from ledger.publisher.hospital_publisher import IDLE_SECONDS, HospitalPublisher
from ledger.publisher.ledger_log import HospitalRow, LedgerLog, log_pool
from ledger.publisher.sink import KafkaSink, PostgresSink, Sink, make_topics
from ledger.stream.contract import StreamError

SWEEP_SECONDS = 1.0
SWEEP_SECONDS_MIN = 0.05
OPEN_MAX = 32
"""Hospitals that are published at once by one process."""

_log = logging.getLogger(__name__)


async def run_publisher(settings: Settings, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Publishes every hospital until `stop` is set; `ready` is called after the first look at the registry."""
    async with log_pool(settings.postgres_stream_url) as pool:
        log = LedgerLog(pool)

        def make_sink(hospital: HospitalRow) -> Sink:
            if settings.stream == "kafka":
                return KafkaSink(settings.kafka_bootstrap, log, hospital)
            return PostgresSink(log, hospital)

        async def prepare(hospital: HospitalRow) -> None:
            if settings.stream == "kafka":
                await asyncio.to_thread(make_topics, settings.kafka_bootstrap, hospital)

        sweeper = Sweeper(log, Leases(pool.connection), make_sink, prepare)
        hints = asyncio.create_task(sweeper.listen(settings.postgres_stream_url), name="head hints")
        try:
            await sweeper.run(stop, ready)
        finally:
            hints.cancel()
            await asyncio.gather(hints, return_exceptions=True)


class Sweeper:
    """Looks over all heads once a second and on hints; a hospital at rest has no task, lease or producer."""

    def __init__(
        self,
        log: LedgerLog,
        leases: Leases,
        make_sink: Callable[[HospitalRow], Sink],
        prepare: Callable[[HospitalRow], Awaitable[None]],
    ) -> None:
        self._log = log
        self._leases = leases
        self._make_sink = make_sink
        self._prepare = prepare
        self._prepared: set[str] = set()
        self._publishers: dict[str, HospitalPublisher] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
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
                except (psycopg.OperationalError, PoolTimeout) as error:
                    _log.error("the ledger's database is out of reach", extra={"error": type(error).__name__})
                except StreamError as error:
                    _log.error("topics cannot be made", extra={"reason": str(error)})
                await self._wait(stop)
        finally:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _sweep(self, stop: asyncio.Event) -> None:
        hospitals = {each.id: each for each in await self._log.hospitals()}
        heads, progress = await self._log.heads(list(hospitals)), await self._log.all_progress()
        for hospital, head in heads.items():
            if hospital in self._tasks or len(self._tasks) >= OPEN_MAX:
                continue
            # The first look goes to the topic itself: it may have lost what was published before.
            first = hospital not in self._prepared
            if first:
                await self._prepare(hospitals[hospital])
                self._prepared.add(hospital)
            if (first and head) or head > progress.get(hospital, 0):
                self._start(hospitals[hospital], stop)

    def _start(self, hospital: HospitalRow, stop: asyncio.Event) -> None:
        publisher = self._publishers.get(hospital.id)
        if publisher is None:
            publisher = HospitalPublisher(hospital, self._log, self._leases, self._make_sink)
            self._publishers[hospital.id] = publisher
        task = asyncio.create_task(publisher.run(stop, self._patience_seconds), name=f"publish {hospital.id}")
        task.add_done_callback(lambda done: self._ended(hospital.id, done))
        self._tasks[hospital.id] = task

    def _patience_seconds(self) -> float:
        """How long a publisher may idle before it gives its place up."""
        return IDLE_SECONDS if len(self._tasks) < OPEN_MAX // 2 else SWEEP_SECONDS

    def _ended(self, hospital: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(hospital, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a publisher ended; it is begun again", extra={"hospital": hospital}, exc_info=error)

    async def _wait(self, stop: asyncio.Event) -> None:
        swept = time.monotonic()
        waits = [asyncio.create_task(self._hinted.wait()), asyncio.create_task(stop.wait())]
        await asyncio.wait(waits, timeout=SWEEP_SECONDS, return_when=asyncio.FIRST_COMPLETED)
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
