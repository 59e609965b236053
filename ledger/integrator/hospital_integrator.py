"""Integrates one hospital while there is something to integrate; idle, it holds nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from ledger.blobs.contract import BlobDiffers, BlobError
from ledger.clock import Clock, system_clock
from ledger.integrator import metrics
from ledger.integrator.checkpoint_publishing import CheckpointPublishing
from ledger.integrator.ledger_rows import HospitalRow, LedgerRows
from ledger.integrator.log_keys import KeyUnusable, LogKeys
from ledger.integrator.rollback import (
    HaltedElsewhere,
    LedgerRolledBack,
    refuse_another_tree,
    refuse_if_rolled_back,
)
from ledger.integrator.signed_log import LogTakenOver, SignedLog
from ledger.lease import Keeping, Lease, Leases, Place, kept
from ledger.log.key_register import note_keys
from ledger.log.log_files import INTEGRATE, LogDamaged, LogEndedForEver, LogFiles, log_folder
from ledger.log.log_growth import PositionMissing

ROLE = "integrate"
SIGN_SECONDS = 1.0
"""A checkpoint is signed so often while something is new."""
IDLE_SECONDS = 10.0
TURN_SECONDS = 2.0
"""How long a hospital that never rests keeps its place where others wait for one; docs/log.md says what follows."""
LOOK_SECONDS = 0.5
RETRY_SECONDS_MIN = 0.2
RETRY_SECONDS_MAX = 5.0
HELD_ELSEWHERE_SECONDS = 2.0
REFUSED_SECONDS = 30.0
"""How long a hospital rests whose ledger is not the one that was signed, before it is looked at again."""
_SAID = (BlobError, LogDamaged, LogEndedForEver, KeyUnusable, LogTakenOver, PositionMissing)
"""Errors whose text names files and positions and nothing else."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tools:
    """What every hospital's integrator uses."""

    rows: LedgerRows
    leases: Leases
    keys: LogKeys
    files: Callable[[str], LogFiles]
    publishing: Callable[[SignedLog, str], CheckpointPublishing]
    clock: Clock = system_clock
    monotonic: Callable[[], float] = time.monotonic
    """Seconds by which the cadence of heads goes."""


class HospitalIntegrator:
    """One hospital's integrator in this process; another process may hold the lease instead."""

    def __init__(self, hospital: HospitalRow, tools: Tools) -> None:
        self._hospital = hospital
        self._tools = tools
        self._grown = asyncio.Event()
        self._failed = 0
        self._rests_until = 0.0
        self._signed_at = 0.0
        self._log: SignedLog | None = None
        self._compared_in_term = 0
        self.published_size: int | None = None
        """Size of the checkpoint that everybody may read, as this process last saw it; None before its first look."""

    @property
    def origin(self) -> str:
        """Of the log that is integrated."""
        return self._hospital.origin

    @property
    def _files(self) -> LogFiles:
        return self._tools.files(log_folder(self._hospital.id, self._hospital.origin))

    @property
    def rest_seconds(self) -> float:
        """How long it still rests after a failure, without a lease or a place among those that are open."""
        return max(0.0, self._rests_until - time.monotonic())

    async def look_at_empty(self) -> None:
        """An empty ledger whose log was never signed is left alone: a hospital that does nothing costs nothing."""
        try:
            if await asyncio.to_thread(self._files.signed) is None:
                self.published_size = 0
        except (BlobError, LogDamaged) as error:
            self._rest(error)

    def hint(self) -> None:
        """The ledger may have grown."""
        self._grown.set()

    async def run(self, stop: asyncio.Event, place: Place) -> None:
        """Integrates until its place is to be given up, the lease is lost, or `stop`; what fails costs a rest."""
        try:
            await self._hold_and_follow(stop, place)
        except HaltedElsewhere as refusal:
            self._rests_until = time.monotonic() + REFUSED_SECONDS
            _log.error("nothing is signed: another role has found a fault", extra={"reason": str(refusal)})
        except Exception as error:  # noqa: BLE001 - one hospital must neither stop the others nor spin
            self._rest(error)

    async def _hold_and_follow(self, stop: asyncio.Event, place: Place) -> None:
        lease = await self._tools.leases.acquire(self._hospital.id, ROLE)
        if lease is None:
            self._rests_until = time.monotonic() + HELD_ELSEWHERE_SECONDS
            return
        try:
            async with kept(lease, "integrator", self._hospital.id) as keeping:
                await self._follow(lease, keeping, stop, place)
        except (LedgerRolledBack, BlobDiffers) as refusal:
            await self._require_ours(lease, refusal)
            await self._refuse(refusal)
        finally:
            await lease.release()

    async def _follow(self, lease: Lease, keeping: Keeping, stop: asyncio.Event, place: Place) -> None:
        log = await self._open(lease)
        if not await self._take_up(log, lease, lambda: not stop.is_set() and not keeping.lost):
            return
        publishing = self._tools.publishing(log, self._hospital.id)
        await publishing.compare_with_witnesses()
        await self._refuse_if_halted_elsewhere_too(log)
        await self._note_keys(log)
        try:
            await self._grow(log, lease, publishing, keeping, stop, place)
        finally:
            await publishing.close()
        self.published_size = log.published_size

    async def _grow(
        self,
        log: SignedLog,
        lease: Lease,
        publishing: CheckpointPublishing,
        keeping: Keeping,
        stop: asyncio.Event,
        place: Place,
    ) -> None:
        """Takes, signs and publishes what comes, until the place is to be given up."""
        resumed = False
        place.begin()
        busy = time.monotonic()
        self._signed_at = 0.0
        while not stop.is_set() and not keeping.lost and not place.idle_over(time.monotonic() - busy):
            self._grown.clear()
            grown = await self._take(log)
            if not await self._sign_when_due(log, lease):
                return
            if not resumed and log.size == log.signed.size:
                # Not before: what was found may show only when the next tiles are written.
                await self._resume(log)
                resumed = True
            turn_over = place.turn_over()
            await publishing.go_on(turn_over=turn_over)
            self._note(log)
            if turn_over and not publishing.is_under_way:
                return
            if grown or not log.is_settled:
                busy, self._failed = time.monotonic(), 0
            if not grown:
                await self._wait(stop)

    async def _take(self, log: SignedLog) -> int:
        """Takes the next events in; how many there were."""
        rows = await self._tools.rows.after(self._hospital.id, log.size)
        if rows:
            await asyncio.to_thread(log.take, rows)
            metrics.leaves.labels(self._hospital.id).inc(len(rows))
        return len(rows)

    async def _sign_when_due(self, log: SignedLog, lease: Lease) -> bool:
        """False where nothing is signed: the lease is lost or was over for a while, or the keys are others."""
        if log.size == log.signed.size or self._tools.monotonic() - self._signed_at < SIGN_SECONDS:
            return True
        if await asyncio.to_thread(self._tools.keys.of, self.origin) != log.keys:
            return False  # a key was added or put away: the log is opened again, with those of now
        if not await self._still_compared(lease):
            return False
        await self._refuse_if_halted(log.files)
        await asyncio.to_thread(log.sign)
        self._signed_at = self._tools.monotonic()
        return True

    async def _still_compared(self, lease: Lease) -> bool:
        """False where a term was over since the log was compared with the ledger: it is opened and compared again."""
        return await lease.renew() and lease.terms == self._compared_in_term

    async def _open(self, lease: Lease) -> SignedLog:
        hospital = self._hospital
        keys = await asyncio.to_thread(self._tools.keys.of, hospital.origin)
        known = await asyncio.to_thread(self._tools.keys.known, hospital.origin)
        self._log = None
        log = self._log = await asyncio.to_thread(SignedLog, self._files, hospital.origin, *keys, known=known)
        self._compared_in_term = lease.terms
        await refuse_if_rolled_back(self._tools.rows, hospital.id, log.files, log.signed)
        return log

    async def _take_up(self, log: SignedLog, lease: Lease, goes_on: Callable[[], bool]) -> bool:
        """Signs the head that is gone on from where that is due; False where it may not be signed any more."""
        if log.is_taken_up:
            return True
        rows, rebuilt = self._tools.rows, b""
        if log.is_unproven:
            rebuilt = await refuse_another_tree(rows, self._hospital.id, log.signed, goes_on)
        if not goes_on() or not await self._still_compared(lease):
            return False
        # Witnesses can be asked with a signature alone, so here before them: what is halted gets none.
        await self._refuse_if_halted_elsewhere_too(log)
        await asyncio.to_thread(log.take_up, rebuilt)
        return True

    async def _note_keys(self, log: SignedLog) -> None:
        """A damaged register proves nothing of the log: it is named, gets no line, and the log goes on."""
        origin, now = self._hospital.origin, self._tools.clock()
        try:
            await asyncio.to_thread(note_keys, log.files, origin, log.signed.size, log.keys, now)
        except LogDamaged as damage:
            facts = {"hospital": self._hospital.id, "reason": str(damage)}
            _log.error("the key register is damaged; the log goes on without a new line", extra=facts)

    async def _refuse_if_halted(self, files: LogFiles) -> None:
        """What another role has found stops this one too."""
        if reason := await asyncio.to_thread(lambda: files.halted(besides=INTEGRATE)):
            raise HaltedElsewhere(self._hospital.id, reason)

    async def _refuse_if_halted_elsewhere_too(self, log: SignedLog) -> None:
        """As `_refuse_if_halted`, our own finding taken back: two that wait for each other would wait for ever."""
        if await asyncio.to_thread(lambda: log.files.halted(besides=INTEGRATE)):
            await self._resume(log)
        await self._refuse_if_halted(log.files)

    async def _require_ours(self, lease: Lease, refusal: Exception) -> None:
        """Raises LogTakenOver where a successor may have gone on: what differs from its work is no finding."""
        if not await lease.renew():
            raise LogTakenOver(LogTakenOver.__doc__) from refusal
        if self._log is not None:
            await asyncio.to_thread(self._log.require_ours)

    async def _resume(self, log: SignedLog) -> None:
        metrics.halted.labels(self._hospital.id).set(0)
        if await asyncio.to_thread(log.files.halted_by, INTEGRATE):
            await asyncio.to_thread(log.files.resume, INTEGRATE)
            _log.warning("the ledger is the one that was signed again", extra={"hospital": self._hospital.id})

    def _note(self, log: SignedLog) -> None:
        metrics.integrated_position.labels(self._hospital.id).set(log.signed.size)
        metrics.published_size.labels(self._hospital.id).set(log.published_size)

    async def _wait(self, stop: asyncio.Event) -> None:
        """Until a hint, `stop`, or the next look."""
        waits = [asyncio.create_task(self._grown.wait()), asyncio.create_task(stop.wait())]
        await asyncio.wait(waits, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()

    async def _refuse(self, refusal: LedgerRolledBack | BlobDiffers) -> None:
        hospital = self._hospital.id
        metrics.halted.labels(hospital).set(1)
        self._rests_until = time.monotonic() + REFUSED_SECONDS
        _log.error(
            "the log stands still until a person decides; see docs/log.md",
            extra={"hospital": hospital, "reason": str(refusal)},
        )
        try:
            await asyncio.to_thread(self._files.halt, INTEGRATE, str(refusal))
        except BlobError as error:
            _log.error("could not say so to the other roles", extra={"hospital": hospital, "reason": str(error)})

    def _rest(self, error: Exception) -> None:
        self._failed += 1
        metrics.failures.labels(self._hospital.id).inc()
        self._rests_until = time.monotonic() + min(RETRY_SECONDS_MAX, RETRY_SECONDS_MIN * 2 ** min(self._failed, 10))
        # A foreign error's text may quote what it stumbled over; its class and place say enough.
        reason = str(error) if isinstance(error, _SAID) else f"{type(error).__name__} {_place(error)}"
        facts = {"hospital": self._hospital.id, "failures": self._failed, "reason": reason}
        _log.error("integrating failed; the ledger takes commands all the same, and it is tried again", extra=facts)


def _place(error: Exception) -> str:
    """Where an error was raised."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return "" if frame is None else f"in {frame.tb_frame.f_code.co_name}, line {frame.tb_lineno}"
