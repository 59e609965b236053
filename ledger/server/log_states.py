"""What the files of the logs say of each hospital: how far it is signed and published, and whether it must not grow."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

from ledger.api.v1.stream_pb2 import LogStatus
from ledger.application.ledger import Ledger
from ledger.blobs.contract import BlobError
from ledger.log.log_files import LogDamaged
from ledger.log.own_heads import OwnLogs
from ledger.log.standing import difference
from ledger.server.errors import LedgerHalted, LogUnavailable
from ledger.trust.checkpoint import Checkpoint

_log = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
"""So long a process goes on with what it last saw."""
_STATES = {False: "integrating", True: "halted"}
_MICROSECONDS = 1_000_000


@dataclass
class _Seen:
    at: float
    reason: str
    compared: bool = False


class LogStates:
    """One look per hospital and second, however many commands come."""

    def __init__(self, ledger: Ledger, logs: OwnLogs) -> None:
        self._ledger = ledger
        self._logs = logs
        self._seen: dict[str, _Seen] = {}
        self._looking: dict[str, asyncio.Lock] = {}

    async def refuse_if_halted(self, hospital: str) -> None:
        """Raises LedgerHalted where the ledger must not grow, LogUnavailable where that cannot be known.

        A process compares ledger and log itself before its first command of a hospital: who put an older ledger back
        may have stopped the integrator, which would have said so.
        """
        origin = await self._ledger.origin_of(hospital)
        seen = self._seen.get(origin)
        if seen is None or time.monotonic() - seen.at >= LOOK_SECONDS:
            async with self._looking.setdefault(origin, asyncio.Lock()):
                seen = await self._look(hospital, origin, self._seen.get(origin))
                self._seen[origin] = seen
        if seen.reason:
            raise LedgerHalted(hospital)

    async def status(self, hospital: str, head: int) -> LogStatus:
        """The log of a hospital for those who run it."""
        origin = await self._ledger.origin_of(hospital)
        try:
            signed, published, reason = await asyncio.to_thread(self._read, hospital, origin)
        except (BlobError, LogDamaged) as error:
            return LogStatus(state="unreadable", reason=str(error))
        status = LogStatus(
            integrated_position=signed.size if signed else 0,
            checkpoint_size=published.size if published else 0,
            lag=max(0, head - (signed.size if signed else 0)),
            state=_STATES[bool(reason)] if signed or reason else "none",
            reason=reason,
        )
        if status.lag:
            rows = await self._ledger.read_positions(hospital, status.integrated_position, 1)
            status.lag_seconds = max(0.0, time.time() - rows[0].recorded_at / _MICROSECONDS) if rows else 0.0
        return status

    async def _look(self, hospital: str, origin: str, before: _Seen | None) -> _Seen:
        if before is not None and time.monotonic() - before.at < LOOK_SECONDS:
            return before  # somebody else looked while this caller waited
        try:
            if before is None or not before.compared:
                reason = await self._compared(hospital, origin)
            else:
                reason = await asyncio.to_thread(self._logs.files(hospital, origin).halted)
        except (BlobError, LogDamaged) as error:
            if before is None or not before.compared:
                _log.error("commands are refused: a log cannot be believed", extra=_facts(hospital, error))
                raise LogUnavailable from error
            # The ledger was the right one when this process began; commands do not hang on the files of the log.
            _log.warning("a log cannot be read", extra=_facts(hospital, error))
            return _Seen(time.monotonic(), before.reason, compared=True)
        return _Seen(time.monotonic(), reason, compared=not reason)

    async def _compared(self, hospital: str, origin: str) -> str:
        signed, _, reason = await asyncio.to_thread(self._read, hospital, origin)
        if reason or signed is None or signed.size == 0:
            return reason
        rows = await self._ledger.read_positions(hospital, signed.size - 1, 1)
        head = await self._ledger.head(hospital)
        files, leaf = self._logs.files(hospital, origin), rows[0].leaf_hash if rows else None
        return await asyncio.to_thread(difference, files, signed, head, leaf)

    def _read(self, hospital: str, origin: str) -> tuple[Checkpoint | None, Checkpoint | None, str]:
        """The newest signed head, the published one, and why the log stands still."""
        published = self._logs.published(hospital, origin)
        signed = self._logs.newest(hospital, origin)
        return signed, published.checkpoint if published else None, self._logs.files(hospital, origin).halted()


def _facts(hospital: str, error: BlobError | LogDamaged) -> dict[str, str]:
    return {"hospital": hospital, "reason": str(error)}
