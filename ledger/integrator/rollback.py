"""Whether the ledger is still the one whose log was signed: a backup put back in its place ends earlier, or differs."""

from __future__ import annotations

import asyncio

from ledger.integrator.ledger_rows import LedgerRows
from ledger.log.log_files import LogFiles
from ledger.log.log_proofs import kept_leaf_hash
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.leaf import leaf_hash


class LedgerRolledBack(Exception):
    """The ledger is not the one that was signed; nothing more is signed until a person decides."""

    def __init__(self, hospital: str, size: int, what: str) -> None:
        super().__init__(f"hospital {hospital}: {what}")
        self.hospital = hospital
        self.size = size


async def refuse_if_rolled_back(rows: LedgerRows, hospital: str, files: LogFiles, signed: Checkpoint) -> None:
    """Raises LedgerRolledBack where the ledger ends below what was signed, or has another event at its end.

    The last event is enough: every history that parts from the signed one before it has another event there, since
    envelopes carry random ids and the chain of their stream.
    """
    size = signed.size
    if size == 0:
        return
    envelope = await rows.envelope(hospital, size)
    if envelope is None:
        head = (await rows.heads([hospital])).get(hospital, 0)
        raise LedgerRolledBack(hospital, size, f"signed up to position {size}, but the ledger ends at {head}")
    if await asyncio.to_thread(kept_leaf_hash, files, size - 1, size) != leaf_hash(envelope):
        raise LedgerRolledBack(hospital, size, f"signed up to position {size}, but the ledger has another event there")
