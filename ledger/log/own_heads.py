"""The heads that a log has signed, believed only under its own keys: whoever writes its files can write a head too."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.log.log_files import CHECKPOINT, SIGNED, LogDamaged, LogFiles
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.format_fault import SignatureFault
from ledger.trust.note import Note
from ledger.trust.note_key import VerifierKey
from ledger.trust.signed_note import check_signed


def own_head(note: Note, origin: str, keys: Sequence[VerifierKey], path: str) -> Checkpoint:
    """The checkpoint in a note of the log; LogDamaged where it is of another origin, or no key of these signed it."""
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != origin:
        raise LogDamaged(path, "of another origin")
    try:
        check_signed(note, keys)
    except SignatureFault as fault:
        raise LogDamaged(path, "; ".join(fault.faults)) from None
    return checkpoint


def newest_head(files: LogFiles, origin: str, keys: Sequence[VerifierKey]) -> Checkpoint | None:
    """The largest head that the log has kept or published; None for a log that was never signed. LogDamaged, BlobError.

    `signed` alone may be older than what everybody has seen: a holder that stalled in the middle of writing it may
    have put an older one in the place of its successor's.
    """
    kept, published = files.signed(), files.published()
    if kept is None:
        if published is not None or files.has_leaves():
            raise LogDamaged(SIGNED, "missing, though the log has leaves")
        return None
    head = own_head(kept, origin, keys, SIGNED)
    if published is None:
        return head
    shown = own_head(published, origin, keys, CHECKPOINT)
    if shown.size == head.size and shown.root != head.root:
        raise LogDamaged(SIGNED, f"of another root than the published head of size {head.size}")
    return max(head, shown, key=lambda each: each.size)
