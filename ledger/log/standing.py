"""Whether a ledger is still the one whose log was signed: a backup put back in its place ends earlier, or differs."""

from __future__ import annotations

from ledger.log.log_files import LogFiles
from ledger.log.log_proofs import kept_leaf_hash
from ledger.trust.checkpoint import Checkpoint


def difference(files: LogFiles, signed: Checkpoint, head: int, leaf_hash: bytes | None) -> str:
    """In what the ledger differs from its signed log; empty where it is the same. Blocks.

    `leaf_hash` is that of the ledger's event at position `signed.size`, None where there is none. The last event is
    enough: every history that parts from the signed one before it has another event there, since envelopes carry
    random ids and the chain of their stream.
    """
    size = signed.size
    if size == 0:
        return ""
    if leaf_hash is None:
        return f"signed up to position {size}, but the ledger ends at {head}"
    if kept_leaf_hash(files, size - 1, size) != leaf_hash:
        return f"signed up to position {size}, but the ledger has another event there"
    return ""
