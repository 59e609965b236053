"""Keeps a `ledger serve` up with the destructions of its ledgers: before it serves, and while it does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import prometheus_client
import psycopg
from prometheus_client import CollectorRegistry

from ledger.keys.erasing import Erasing
from ledger.keys.errors import KeyProblem
from ledger.store.errors import StoreError
from ledger.store.hospitals import HospitalRow

LOOK_SECONDS = 2.0
"""How long a destruction may go unseen; far below the time for which a key is remembered."""
_log = logging.getLogger(__name__)

Hospitals = Callable[[], Awaitable[list[HospitalRow]]]


class ErasureFollower:
    """One for each process that holds keys."""

    def __init__(
        self,
        erasing: Erasing,
        hospitals: Hospitals,
        drop: Callable[[str, UUID], Awaitable[None]],
        registry: CollectorRegistry = prometheus_client.REGISTRY,
    ) -> None:
        self._erasing = erasing
        self._hospitals = hospitals
        self._drop = drop
        self._failing: set[str] = set()
        self._lag = prometheus_client.Gauge(
            "ledger_erasure_lag",
            "Events that were not yet looked at for destructions",
            ["hospital"],
            registry=registry,
        )
        self._erased = prometheus_client.Counter(
            "ledger_erased_records", "Records whose key this process destroyed", ["hospital"], registry=registry
        )

    async def catch_up(self) -> None:
        """Applies what is there to every hospital that can be read; one that cannot is not served either.

        Raises StoreUnavailable, KeysUnavailable.
        """
        for hospital in await self._hospitals():
            if hospital.state != "adding":
                await self._one(hospital)

    async def _one(self, hospital: HospitalRow) -> None:
        try:
            self._erased.labels(hospital.id).inc(await self._erasing.catch_up(hospital, self._drop))
            self._failing.discard(hospital.id)
        except psycopg.ProgrammingError as error:  # its schema is closed to this role, or gone
            self._say(hospital.id, error)
        self._lag.labels(hospital.id).set(await self._behind(hospital))

    async def _behind(self, hospital: HospitalRow) -> int:
        return 0 if hospital.id in self._failing else await self._erasing.behind(hospital)

    @asynccontextmanager
    async def following(self) -> AsyncGenerator[None]:
        """Looks again and again while the block runs."""
        task = asyncio.create_task(self._follow(), name="erasure")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.catch_up()
            except (StoreError, KeyProblem) as error:
                self._say("", error)

    def _say(self, hospital: str, error: Exception) -> None:
        if hospital not in self._failing:
            facts = {"hospital": hospital, "error": type(error).__name__}
            _log.warning("destructions cannot be followed; looked at again", extra=facts)
        self._failing.add(hospital)
