"""What stops a log for good until a person decides: the ledger is not the one that was signed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from ledger.integrator.ledger_rows import LedgerRows
from ledger.log.log_files import LogFiles
from ledger.log.standing import difference
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Frontier


class LedgerRolledBack(Exception):
    """The ledger is not the one that was signed; nothing more is signed until a person decides."""

    def __init__(self, hospital: str, what: str) -> None:
        super().__init__(f"hospital {hospital}: {what}")
        self.hospital = hospital


class HaltedElsewhere(Exception):
    """Another role has found that this ledger must not grow."""

    def __init__(self, hospital: str, reason: str) -> None:
        super().__init__(f"hospital {hospital}: {reason}")
        self.hospital = hospital


async def refuse_if_rolled_back(rows: LedgerRows, hospital: str, files: LogFiles, signed: Checkpoint) -> None:
    """Raises LedgerRolledBack where the ledger ends below what was signed, or has another event at its end."""
    envelope = await rows.envelope(hospital, signed.size) if signed.size else None
    head = (await rows.heads([hospital])).get(hospital, 0)
    leaf = None if envelope is None else leaf_hash(envelope)
    what = await asyncio.to_thread(difference, files, signed, head, leaf)
    if what:
        raise LedgerRolledBack(hospital, what)


async def refuse_another_tree(
    rows: LedgerRows, hospital: str, signed: Checkpoint, goes_on: Callable[[], bool]
) -> bytes:
    """The root that the ledger's own events lead to at the size of a head; LedgerRolledBack where the head has another.

    Reads every envelope below it; empty where `goes_on` said no before the end.
    """
    tree = Frontier()
    while tree.size < signed.size and goes_on():
        envelopes = await rows.envelopes(hospital, tree.size, signed.size)
        if not envelopes:
            break
        await asyncio.to_thread(_grow, tree, envelopes)
    if not goes_on():
        return b""
    if tree.root() != signed.root:
        raise LedgerRolledBack(
            hospital, f"signed up to position {signed.size}, but the ledger's events up to there have another root"
        )
    return tree.root()


def _grow(tree: Frontier, envelopes: Sequence[bytes]) -> None:
    tree.extend(leaf_hash(envelope) for envelope in envelopes)
