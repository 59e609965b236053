"""Keeps a `ledger serve` up with the destructions of its ledgers: before it serves, and while it does."""

from __future__ import annotations

import asyncio
import logging
import time
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
REST_SECONDS_MAX = 300.0
"""How long a hospital rests at most that fails by a defect; its rest doubles with each failure."""
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
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._erasing = erasing
        self._hospitals = hospitals
        self._drop = drop
        self._look_seconds = look_seconds
        self._failing: set[str] = set()
        self._rests: dict[str, tuple[float, float]] = {}
        """By hospital that failed by a defect: how long it rests, and until when; "" where none could be listed."""
        self._lag = prometheus_client.Gauge(
            "ledger_erasure_lag",
            "Events that were not yet looked at for destructions",
            ["hospital"],
            registry=registry,
        )
        self._erased = prometheus_client.Counter(
            "ledger_erased_records", "Records whose key this process destroyed", ["hospital"], registry=registry
        )
        self._defects = prometheus_client.Counter(
            "ledger_erasure_defects", "Looks for destructions that ended in a defect", ["hospital"], registry=registry
        )

    async def catch_up(self) -> None:
        """Applies what is there to every hospital that can be read; one that cannot is not served either.

        Raises StoreUnavailable, KeysUnavailable.
        """
        for hospital in await self._hospitals():
            if hospital.state != "adding":
                await self._one(hospital)

    def not_followed(self) -> list[str]:
        """The hospitals whose destructions this process does not apply at the moment, by a defect of its own."""
        return sorted(name or "any hospital" for name in self._rests)

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
        """Looks again and again while the block runs, whatever a look ends in."""
        task = asyncio.create_task(self._follow(), name="erasure")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self._look_seconds)
            if not self._rests_now(""):
                await self._look("", self._look_at_all)

    async def _look_at_all(self) -> None:
        for hospital in await self._hospitals():
            if hospital.state != "adding" and not self._rests_now(hospital.id):
                # One hospital that fails must not keep the others' records readable.
                await self._look(hospital.id, lambda hospital=hospital: self._one(hospital))
        self._failing.discard("")

    async def _look(self, name: str, look: Callable[[], Awaitable[None]]) -> None:
        try:
            await look()
        except (StoreError, KeyProblem) as error:
            self._say(name, error)
        except Exception:  # noqa: BLE001 # a follower that died would leave every later destruction undone, unseen
            self._rest(name)
        else:
            if self._rests.pop(name, None):
                _log.info("destructions are followed again", extra={"hospital": name})

    def _rests_now(self, name: str) -> bool:
        return self._rests.get(name, (0.0, 0.0))[1] > time.monotonic()

    def _rest(self, name: str) -> None:
        rest = min(2 * self._rests.get(name, (self._look_seconds / 2, 0.0))[0], REST_SECONDS_MAX)
        self._rests[name] = rest, time.monotonic() + rest
        self._defects.labels(name).inc()
        facts = {"hospital": name, "again_in_seconds": rest}
        _log.error("destructions cannot be followed: a defect; looked at again", exc_info=True, extra=facts)

    def _say(self, hospital: str, error: Exception) -> None:
        if hospital not in self._failing:
            facts = {"hospital": hospital, "error": type(error).__name__}
            _log.warning("destructions cannot be followed; looked at again", extra=facts)
        self._failing.add(hospital)
