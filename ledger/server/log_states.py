"""What the files of the logs say of each hospital: how far it is signed and published, and whether it must not grow."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

from ledger.api.v1.stream_pb2 import LogStatus
from ledger.application.ledger import Ledger
from ledger.blobs.contract import BlobError, Blobs
from ledger.log.log_files import LogDamaged, LogFiles
from ledger.log.standing import difference
from ledger.server.errors import LedgerHalted, LogUnavailable
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint

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

    def __init__(self, ledger: Ledger, blobs: Blobs) -> None:
        self._ledger = ledger
        self._blobs = blobs
        self._seen: dict[str, _Seen] = {}
        self._looking: dict[str, asyncio.Lock] = {}

    async def refuse_if_halted(self, hospital: str) -> None:
        """Raises LedgerHalted where the ledger must not grow, LogUnavailable where that cannot be known.

        A process compares ledger and log itself before its first command of a hospital: who put an older ledger back
        may have stopped the integrator, which would have said so.
        """
        folder = await self._ledger.log_folder(hospital)
        seen = self._seen.get(folder)
        if seen is None or time.monotonic() - seen.at >= LOOK_SECONDS:
            async with self._looking.setdefault(folder, asyncio.Lock()):
                seen = await self._look(hospital, folder, self._seen.get(folder))
                self._seen[folder] = seen
        if seen.reason:
            raise LedgerHalted(hospital)

    async def status(self, hospital: str, head: int) -> LogStatus:
        """The log of a hospital for those who run it."""
        files = LogFiles(self._blobs, await self._ledger.log_folder(hospital))
        try:
            signed, published, reason = await asyncio.to_thread(_read, files)
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

    async def _look(self, hospital: str, folder: str, before: _Seen | None) -> _Seen:
        if before is not None and time.monotonic() - before.at < LOOK_SECONDS:
            return before  # somebody else looked while this caller waited
        files = LogFiles(self._blobs, folder)
        try:
            if before is None or not before.compared:
                reason = await self._compared(files, hospital)
            else:
                reason = await asyncio.to_thread(files.halted)
        except (BlobError, LogDamaged) as error:
            if before is None or not before.compared:
                raise LogUnavailable from error
            # The ledger was the right one when this process began; commands do not hang on the files of the log.
            _log.warning("a log cannot be read", extra={"hospital": hospital, "reason": str(error)})
            return _Seen(time.monotonic(), before.reason, compared=True)
        return _Seen(time.monotonic(), reason, compared=not reason)

    async def _compared(self, files: LogFiles, hospital: str) -> str:
        signed, _, reason = await asyncio.to_thread(_read, files)
        if reason or signed is None or signed.size == 0:
            return reason
        rows = await self._ledger.read_positions(hospital, signed.size - 1, 1)
        head = await self._ledger.head(hospital)
        return await asyncio.to_thread(difference, files, signed, head, rows[0].leaf_hash if rows else None)


def _read(files: LogFiles) -> tuple[Checkpoint | None, Checkpoint | None, str]:
    signed, published = files.signed(), files.published()
    return (
        _checkpoint(signed.text if signed else None),
        _checkpoint(published.text if published else None),
        files.halted(),
    )


def _checkpoint(text: str | None) -> Checkpoint | None:
    return None if text is None else parse_checkpoint(text)
