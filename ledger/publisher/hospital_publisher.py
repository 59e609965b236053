"""Publishes one hospital while there is something to publish; idle, it holds nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import psycopg
from psycopg_pool import PoolTimeout

from ledger.lease import Lease, Leases
from ledger.publisher import metrics
from ledger.publisher.ending import end
from ledger.publisher.ledger_log import HospitalRow, LedgerLog
from ledger.publisher.sink import Sink
from ledger.stream.contract import StreamError

ROLE = "publish"
RENEW_SECONDS = 1.5
IDLE_SECONDS = 60.0
LOOK_SECONDS = 1.0
RETRY_SECONDS_MIN = 0.2
RETRY_SECONDS_MAX = 5.0
_log = logging.getLogger(__name__)


class HospitalPublisher:
    """One hospital's publisher in this process; another process may hold the lease instead."""

    def __init__(
        self, hospital: HospitalRow, log: LedgerLog, leases: Leases, make_sink: Callable[[HospitalRow], Sink]
    ) -> None:
        self._hospital = hospital
        self._log = log
        self._leases = leases
        self._make_sink = make_sink
        self._grown = asyncio.Event()
        self._failed = 0
        self._rests_until = 0.0
        self.looked = False
        """Whether this process has seen where the stream stands, or left that to another one."""
        self.published = 0
        """The last position that this process knows to be published."""

    @property
    def rests(self) -> bool:
        """Whether it was refused a short while ago."""
        return time.monotonic() < self._rests_until

    def hint(self) -> None:
        """The ledger may have grown."""
        self._grown.set()

    async def run(self, stop: asyncio.Event, patience_seconds: Callable[[], float]) -> None:
        """Publishes until idle, until the lease is lost, or until `stop`; a failure is said, and costs a pause."""
        lease = await self._leases.acquire(self._hospital.id, ROLE)
        if lease is None:
            self.looked = True
            return
        sink = self._make_sink(self._hospital)
        try:
            await self._follow(sink, lease, stop, patience_seconds)
            self._failed = 0
        except StreamError as error:
            await self._pause(error, stop)
        finally:
            await self._give_up(sink, lease)

    async def _follow(
        self, sink: Sink, lease: Lease, stop: asyncio.Event, patience_seconds: Callable[[], float]
    ) -> None:
        renewal = asyncio.create_task(_keep(lease), name=f"lease {ROLE} {self._hospital.id}")
        try:
            position = await sink.open()
            self._note(position)
            self.looked = True
            busy = time.monotonic()
            while not stop.is_set() and not renewal.done() and time.monotonic() - busy < patience_seconds():
                self._grown.clear()
                rows = await self._log.after(self._hospital.id, position)
                if not rows:
                    await self._wait(stop)
                    continue
                await sink.publish(rows)
                position, busy = rows[-1].position, time.monotonic()
                self._note(position)
                metrics.events_published.labels(self._hospital.id).inc(len(rows))
        finally:
            await end(renewal)

    def _note(self, position: int) -> None:
        self.published = position
        metrics.published_position.labels(self._hospital.id).set(position)

    async def _wait(self, stop: asyncio.Event) -> None:
        """Until a hint, `stop`, or the next look."""
        waits = [asyncio.create_task(self._grown.wait()), asyncio.create_task(stop.wait())]
        await asyncio.wait(waits, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()

    async def _pause(self, error: StreamError, stop: asyncio.Event) -> None:
        self._failed += 1
        metrics.failures.labels(self._hospital.id).inc()
        facts = {"hospital": self._hospital.id, "failures": self._failed, "reason": str(error)}
        _log.error("publishing failed; the ledger takes commands all the same, and it is tried again", extra=facts)
        seconds = min(RETRY_SECONDS_MAX, RETRY_SECONDS_MIN * 2 ** min(self._failed, 10))
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            return

    async def _give_up(self, sink: Sink, lease: Lease) -> None:
        try:
            await sink.close()
        except StreamError as error:
            _log.warning("closing the sink", extra={"hospital": self._hospital.id, "reason": str(error)})
        await lease.release()


async def _keep(lease: Lease) -> None:
    """Renews the lease until it is lost."""
    facts = {"hospital": lease.hospital, "epoch": lease.epoch}
    try:
        while await lease.renew():  # noqa: ASYNC110  # a term is renewed by time, there is no event to wait for
            await asyncio.sleep(RENEW_SECONDS)
    except (psycopg.OperationalError, PoolTimeout) as error:
        _log.error("publisher's lease cannot be renewed", extra=facts | {"error": type(error).__name__})
    else:
        _log.error("publisher's lease lost", extra=facts)
