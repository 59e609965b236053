"""The role `integrate`: follows the registry, and gives an integrator to every hospital whose log is behind."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import psycopg
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from ledger.blobs.contract import Blobs
from ledger.clock import clock_of
from ledger.config import Settings
from ledger.integrator.checkpoint_publishing import CheckpointPublishing
from ledger.integrator.cosigning import Cosigning
from ledger.integrator.hospital_integrator import IDLE_SECONDS, TURN_SECONDS, HospitalIntegrator, Tools
from ledger.integrator.lag import Lag
from ledger.integrator.ledger_rows import HospitalRow, LedgerRows, rows_pool
from ledger.integrator.log_keys import LogKeys
from ledger.integrator.signed_log import SignedLog
from ledger.lease import Leases, Place, Places, lease_pool
from ledger.log.log_files import LogFiles
from ledger.trust.note_key import VerifierKey
from ledger.trust.policy import Policy
from ledger.views.schema_versions import SCHEMA_VERSIONS

SWEEP_SECONDS = 1.0
SWEEP_SECONDS_MIN = 0.05
OPEN_MAX = 16
"""Hospitals that are integrated at once by one process; where more want to be, they have turns (`Places`)."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Log:
    """How the logs of this process are kept and signed."""

    blobs: Blobs
    keys: LogKeys
    policy: Policy | None
    """Which witnesses must cosign; None: the log's own signature is all there is."""


async def run_integrator(settings: Settings, log: Log, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Integrates every hospital until `stop` is set; `ready` is called after the first look at the registry."""
    if log.policy is None:
        _log.warning(
            "no policy (LEDGER_LOG_POLICY): checkpoints bear the log's own signature alone, no witness sees them"
        )
    url = settings.postgres_stream_url
    async with rows_pool(url) as pool, lease_pool(url) as lease_connections, httpx.AsyncClient(trust_env=False) as http:
        rows = LedgerRows(pool)
        sweeper = Sweeper(rows, _tools(settings, log, rows, Leases(lease_connections.connection), http))
        hints = asyncio.create_task(sweeper.listen(url), name="head hints")
        try:
            await sweeper.run(stop, ready)
        finally:
            hints.cancel()
            await asyncio.gather(hints, return_exceptions=True)


def _tools(settings: Settings, log: Log, rows: LedgerRows, leases: Leases, http: httpx.AsyncClient) -> Tools:
    cosigning: dict[VerifierKey, Cosigning] = {}

    def publishing(signed: SignedLog, hospital: str) -> CheckpointPublishing:
        key = signed.verifier
        if log.policy is not None and key not in cosigning:
            cosigning[key] = Cosigning(log.policy, key, http)
        return CheckpointPublishing(hospital, signed, cosigning.get(key), settings.checkpoint_seconds)

    clock = clock_of(settings.clock_file)
    return Tools(rows, leases, log.keys, lambda folder: LogFiles(log.blobs, folder), publishing, clock)


class Sweeper:
    """Looks over all heads once a second and on hints; a hospital at rest has no task and no lease."""

    def __init__(self, rows: LedgerRows, tools: Tools) -> None:
        self._rows = rows
        self._tools = tools
        self._integrators: dict[str, HospitalIntegrator] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._places = Places(OPEN_MAX, IDLE_SECONDS, turn_seconds=TURN_SECONDS)
        self._hinted = asyncio.Event()
        self._lag = Lag(rows, tools.files)

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
            await self._lag.close()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _sweep(self, stop: asyncio.Event) -> None:
        hospitals = {each.id: each for each in await self._rows.hospitals() if each.schema_version in SCHEMA_VERSIONS}
        heads = await self._rows.heads(list(hospitals))
        self._lag.look(list(hospitals.values()), heads)
        wanting = [
            each for each, head in heads.items() if each not in self._tasks and await self._wants(hospitals[each], head)
        ]
        for place in self._places.take(wanting):
            self._start(place, stop)

    async def _wants(self, hospital: HospitalRow, head: int) -> bool:
        """Whether there is something to do: to grow, to publish, or to see why the ledger has become shorter."""
        integrator = self._integrators.get(hospital.id)
        if integrator is None or integrator.origin != hospital.origin:
            integrator = self._integrators[hospital.id] = HospitalIntegrator(hospital, self._tools)
        if integrator.rest_seconds > 0:
            return False
        if head == 0 and integrator.published_size is None:
            await integrator.look_at_empty()
        return integrator.published_size != head

    def _start(self, place: Place, stop: asyncio.Event) -> None:
        hospital = place.hospital
        task = asyncio.create_task(self._integrators[hospital].run(stop, place), name=f"integrate {hospital}")
        task.add_done_callback(lambda _: self._ended(hospital))
        self._tasks[hospital] = task

    def _ended(self, hospital: str) -> None:
        self._tasks.pop(hospital, None)
        self._places.give_up(hospital)
        if self._places.awaited:
            self._hinted.set()  # whoever waits gets the place now, not at the next sweep

    async def _wait(self, stop: asyncio.Event) -> None:
        swept = time.monotonic()
        waits = [asyncio.create_task(self._hinted.wait()), asyncio.create_task(stop.wait())]
        await asyncio.wait(waits, timeout=SWEEP_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()
        # Hints of hospitals that another process integrates must not become a sweep each.
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
            self._integrators[hospital].hint()
        else:
            self._hinted.set()
