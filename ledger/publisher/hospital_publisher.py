"""Publishes one hospital while there is something to publish; idle, it holds nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from ledger.blobs.contract import BlobError
from ledger.lease import Keeping, Lease, Leases, kept
from ledger.lease.places import Place
from ledger.log.log_files import LogDamaged
from ledger.publisher import metrics
from ledger.publisher.ledger_log import HospitalRow, LedgerLog
from ledger.publisher.read_ahead import ReadAhead
from ledger.publisher.rollback import LedgerRolledBack
from ledger.publisher.signed_standing import SignedStanding
from ledger.publisher.sink import Sink
from ledger.stream.contract import StreamError

ROLE = "publish"
LOOK_SECONDS = 1.0
RETRY_SECONDS_MIN = 0.2
RETRY_SECONDS_MAX = 5.0
HELD_ELSEWHERE_SECONDS = 2.0
REFUSED_SECONDS = 30.0
"""How long a hospital rests whose ledger is not the one that was published, before it is looked at again."""
_SAID = (StreamError, BlobError, LogDamaged)
"""Errors whose text names files and positions and nothing else."""
_log = logging.getLogger(__name__)


class HospitalPublisher:
    """One hospital's publisher in this process; another process may hold the lease instead."""

    def __init__(
        self,
        hospital: HospitalRow,
        log: LedgerLog,
        leases: Leases,
        make_sink: Callable[[HospitalRow], Sink],
        standing: SignedStanding | None = None,
    ) -> None:
        """`standing` compares with what the hospital's log has signed; None where no log is kept."""
        self._standing = standing
        self._hospital = hospital
        self._log = log
        self._leases = leases
        self._make_sink = make_sink
        self._grown = asyncio.Event()
        self._failed = 0
        self._refused = False
        self._rests_until = 0.0
        self.looked = False
        """Whether this process has seen where the stream stands, and nothing has gone wrong since."""

    @property
    def origin(self) -> str:
        """Of the log whose events are published."""
        return self._hospital.origin

    @property
    def rest_seconds(self) -> float:
        """How long it still rests after a failure; without a task, a lease or a place among those that are open."""
        return max(0.0, self._rests_until - time.monotonic())

    def hint(self) -> None:
        """The ledger may have grown."""
        self._grown.set()

    async def run(self, stop: asyncio.Event, place: Place) -> None:
        """Publishes until its place is to be given up, the lease is lost, or `stop`.

        Whatever fails is said, and costs a rest.
        """
        try:
            await self._hold_and_follow(stop, place)
        except LedgerRolledBack as refusal:
            await self._refuse(refusal)
        except Exception as error:  # noqa: BLE001 - one hospital must neither stop the others nor spin
            self._rest(error)

    async def _hold_and_follow(self, stop: asyncio.Event, place: Place) -> None:
        lease = await self._leases.acquire(self._hospital.id, ROLE)
        if lease is None:
            # Another process has it, and may die before it has filled what a topic lost: looked at again.
            self._rests_until = time.monotonic() + HELD_ELSEWHERE_SECONDS
            return
        sink = self._make_sink(self._hospital)
        try:
            async with kept(lease, "publisher", self._hospital.id) as keeping:
                await self._follow(sink, keeping, stop, place)
        finally:
            await self._give_up(sink, lease)

    async def _follow(self, sink: Sink, keeping: Keeping, stop: asyncio.Event, place: Place) -> None:
        try:
            if self._standing is not None:
                await self._standing.refuse_if_rolled_back()
            position = await sink.open()
            if self._standing is not None:
                await self._standing.found_right()
            self._note(position)
            self.looked = True
            await self._publish(sink, position, place, stop, lambda: not stop.is_set() and not keeping.lost)
            self.looked = not keeping.lost
        except Exception:
            self.looked = False
            raise

    async def _publish(
        self, sink: Sink, position: int, place: Place, stop: asyncio.Event, may_go_on: Callable[[], bool]
    ) -> None:
        """Publishes what follows a position, until the place is to be given up."""
        pages = ReadAhead(self._log, self._hospital.id)
        try:
            await self._publish_pages(pages, sink, position, place, stop, may_go_on)
        finally:
            await pages.close()

    async def _publish_pages(
        self,
        pages: ReadAhead,
        sink: Sink,
        position: int,
        place: Place,
        stop: asyncio.Event,
        may_go_on: Callable[[], bool],
    ) -> None:
        place.begin()
        busy = looked = time.monotonic()
        while may_go_on() and not place.idle_over(time.monotonic() - busy):
            if time.monotonic() - looked >= LOOK_SECONDS:
                await self._look(sink)
                looked = time.monotonic()
            self._grown.clear()
            rows = await pages.after(position)
            if not rows:
                self._failed = 0
                await self._wait(stop)
                continue
            await sink.publish(rows)
            position, busy, self._failed = rows[-1].position, time.monotonic(), 0
            self._note(position)
            metrics.events_published.labels(self._hospital.id).inc(len(rows))
            if place.turn_over():
                return

    async def _look(self, sink: Sink) -> None:
        if self._standing is not None:
            await self._standing.refuse_if_halted()
        await sink.look()

    def _note(self, position: int) -> None:
        metrics.published_position.labels(self._hospital.id).set(position)
        if self._refused:
            self._refused = False
            metrics.refused.labels(self._hospital.id).set(0)

    async def _wait(self, stop: asyncio.Event) -> None:
        """Until a hint, `stop`, or the next look."""
        waits = [asyncio.create_task(self._grown.wait()), asyncio.create_task(stop.wait())]
        await asyncio.wait(waits, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()

    async def _refuse(self, refusal: LedgerRolledBack) -> None:
        self._refused = True
        metrics.refused.labels(self._hospital.id).set(1)
        self._rests_until = time.monotonic() + REFUSED_SECONDS
        facts = {"hospital": self._hospital.id, "position": refusal.position, "reason": str(refusal)}
        _log.error("publishing is refused until a person decides; see docs/stream.md", extra=facts)
        if self._standing is not None:
            await self._standing.halt(refusal)

    def _rest(self, error: Exception) -> None:
        self._failed += 1
        metrics.failures.labels(self._hospital.id).inc()
        self._rests_until = time.monotonic() + min(RETRY_SECONDS_MAX, RETRY_SECONDS_MIN * 2 ** min(self._failed, 10))
        # A foreign error's text may quote what it stumbled over; its class and place say enough.
        reason = str(error) if isinstance(error, _SAID) else f"{type(error).__name__} {_place(error)}"
        facts = {"hospital": self._hospital.id, "failures": self._failed, "reason": reason}
        _log.error("publishing failed; the ledger takes commands all the same, and it is tried again", extra=facts)

    async def _give_up(self, sink: Sink, lease: Lease) -> None:
        try:
            await sink.close()
        except StreamError as error:
            _log.warning("closing the sink", extra={"hospital": self._hospital.id, "reason": str(error)})
        await lease.release()


def _place(error: Exception) -> str:
    """Where an error was raised."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return "" if frame is None else f"in {frame.tb_frame.f_code.co_name}, line {frame.tb_lineno}"
