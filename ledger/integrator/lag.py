"""How far each signed log is behind its ledger, whoever signs it and whether or not anything can be signed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

import psycopg
from psycopg_pool import PoolTimeout

from ledger.blobs.contract import BlobError
from ledger.integrator import metrics
from ledger.integrator.ledger_rows import HospitalRow, LedgerRows
from ledger.log.log_files import LogDamaged, LogFiles, log_folder
from ledger.trust.checkpoint import CheckpointFault, parse_checkpoint

_log = logging.getLogger(__name__)


class Lag:
    """Looks beside the integrators, not in them: one that fails says nothing of how far behind it is."""

    def __init__(self, rows: LedgerRows, files: Callable[[str], LogFiles]) -> None:
        self._rows = rows
        self._files = files
        self._signed: dict[str, int] = {}
        self._round: asyncio.Task[None] | None = None

    def look(self, hospitals: Sequence[HospitalRow], heads: Mapping[str, int]) -> None:
        """Begins a look at all hospitals, unless one is still under way: a slow blob store holds up nobody else."""
        if self._round is None or self._round.done():
            self._round = asyncio.create_task(self._look(hospitals, heads), name="lag of the logs")

    async def close(self) -> None:
        """Ends a look that is under way."""
        if self._round is not None:
            self._round.cancel()
            await asyncio.gather(self._round, return_exceptions=True)

    async def _look(self, hospitals: Sequence[HospitalRow], heads: Mapping[str, int]) -> None:
        try:
            for each in hospitals:
                if each.id in heads:
                    await self._note(each, heads[each.id])
        except (psycopg.Error, PoolTimeout) as error:
            _log.error("how old the lag is cannot be read", extra={"error": type(error).__name__})

    async def _note(self, hospital: HospitalRow, head: int) -> None:
        signed = self._signed.get(hospital.origin, 0)
        if head > signed:
            signed = self._signed[hospital.origin] = await asyncio.to_thread(self._size, hospital, signed)
        behind = max(0, head - signed)
        metrics.lag_positions.labels(hospital.id).set(behind)
        age = await self._rows.age_seconds(hospital.id, signed + 1) if behind else 0.0
        metrics.lag_seconds.labels(hospital.id).set(age)

    def _size(self, hospital: HospitalRow, known: int) -> int:
        """Of the signed head, as it lies there; where it cannot be read, as it was last seen: the lag only grows."""
        try:
            note = self._files(log_folder(hospital.id, hospital.origin)).signed()
            return parse_checkpoint(note.text).size if note else known
        except (BlobError, LogDamaged, CheckpointFault):
            return known
