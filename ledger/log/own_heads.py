"""The heads that a log has signed, believed only under its own keys: whoever writes its files can write a head too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger.blobs.contract import Blobs
from ledger.log.log_files import CHECKPOINT, SIGNED, LogDamaged, LogFiles, log_folder
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.format_fault import SignatureFault
from ledger.trust.note import Note
from ledger.trust.note_key import VerifierKey
from ledger.trust.signed_note import check_signed

Verifiers = Callable[[str], Sequence[VerifierKey]]
"""From an origin to the verifier keys of its log: none where it is not known, several while one follows another.

Blocks; raises LogDamaged where the keys cannot be read.
"""


def own_head(note: Note, origin: str, keys: Sequence[VerifierKey], path: str) -> Checkpoint:
    """The checkpoint in a note of the log; LogDamaged where it is of another origin, or none of `keys` has signed it.

    A broken signature of one of them condemns the note, whatever the others say.
    """
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != origin:
        raise LogDamaged(path, "of another origin")
    if not keys:
        raise LogDamaged(path, f"no verifier key of {origin} is known (LEDGER_LOG_VERIFIERS)")
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
    return _newest(files, files.signed(), files.published(), origin, keys)


def _newest(
    files: LogFiles, kept: Note | None, published: Note | None, origin: str, keys: Sequence[VerifierKey]
) -> Checkpoint | None:
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


@dataclass(frozen=True, slots=True)
class PublishedHead:
    """The head that everybody may read."""

    note: Note
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class OwnLogs:
    """The logs of a service for those who sign nothing: their files, and the public keys that say which heads count.

    Every call blocks; BlobError where the store fails, LogDamaged for what does not verify.
    """

    blobs: Blobs
    verifiers: Verifiers

    def files(self, hospital: str, origin: str) -> LogFiles:
        """The files of a hospital's log of this origin: each log has a folder of its own."""
        return LogFiles(self.blobs, log_folder(hospital, origin))

    def newest(self, hospital: str, origin: str) -> Checkpoint | None:
        """As `newest_head`."""
        files = self.files(hospital, origin)
        kept, published = files.signed(), files.published()
        # The keys after the heads: a log's key is in the file before its first signature.
        return _newest(files, kept, published, origin, self.verifiers(origin))

    def published(self, hospital: str, origin: str) -> PublishedHead | None:
        """The published head; None where nothing is published."""
        note = self.files(hospital, origin).published()
        if note is None:
            return None
        return PublishedHead(note, own_head(note, origin, self.verifiers(origin), CHECKPOINT))
