"""One hospital's log while it is integrated: it grows, signs its heads, and publishes them."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.log.log_files import SIGNED, LogDamaged, LogFiles
from ledger.log.log_growth import StoredLeaf, open_growth
from ledger.log.own_heads import newest_head
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.merkle import EMPTY_ROOT
from ledger.trust.note import Note
from ledger.trust.note_key import SigningKey, VerifierKey
from ledger.trust.signed_note import signers
from ledger.trust.tile import BundleId, TileId, edge_tiles


class LogTakenOver(Exception):
    """Another process has signed meanwhile; this one begins again from what is kept."""


class SignedLog:
    """All calls block. After an error the object is not to be used again: what counts is on disk."""

    def __init__(self, files: LogFiles, origin: str, *keys: SigningKey, known: Sequence[VerifierKey] = ()) -> None:
        """Takes up the last signed checkpoint; signs that of the empty log where there is none.

        Every head bears a signature of each key; on what is taken up one of them is enough, or one of `known`, which
        signed before: a log store that was put back may end before its keys changed. It is signed anew then.
        LogDamaged where no key has signed it, the tiles do not have its root, or it is missing; LogEndedForEver,
        BlobError.
        """
        files.refuse_if_ended()
        self.files = files
        self.keys = keys
        self._verifiers = [key.verifier() for key in keys]
        self.signed: Checkpoint = newest_head(files, origin, [*self._verifiers, *known]) or Checkpoint(
            origin, 0, EMPTY_ROOT
        )
        self._growth = open_growth(files, self.signed)
        self.signed_note = self._taken_up()
        published = files.published()
        self.published_size = parse_checkpoint(published.text).size if published else 0
        self.is_published = published is not None and self._bears_all(published)
        self._partial_at = [self.signed.size]

    @property
    def verifier(self) -> VerifierKey:
        """The key that others check its signature with; the first of two."""
        return self._verifiers[0]

    @property
    def size(self) -> int:
        """Leaves taken; those beyond `signed.size` are not signed yet."""
        return self._growth.size

    @property
    def is_settled(self) -> bool:
        """Whether everything that was signed is published."""
        return self.is_published and self.published_size == self.signed.size

    def take(self, leaves: Sequence[StoredLeaf]) -> None:
        """Adds events in order."""
        self._growth.take(leaves)

    def sign(self) -> Note:
        """Signs the head of now and keeps it. Raises LogTakenOver where somebody else has signed since."""
        self.require_ours()
        checkpoint = self._growth.finish(self.signed.origin)
        if checkpoint.size > self.signed.size:
            self.signed_note = self._sign(checkpoint)
            self.signed = checkpoint
            self._partial_at.append(checkpoint.size)
        return self.signed_note

    def require_ours(self) -> None:
        """Raises LogTakenOver where somebody else has signed since, LogDamaged where what was signed is gone,
        LogEndedForEver where the log was closed.
        """
        self.files.refuse_if_ended()
        kept = self.files.signed()
        if kept is None:
            raise LogDamaged(SIGNED, "missing, though it was there")
        if kept.text != self.signed_note.text:
            raise LogTakenOver(LogTakenOver.__doc__)

    def publish(self, note: Note, checkpoint: Checkpoint) -> None:
        """Puts a signed head where everybody reads it; a smaller one never follows a larger one."""
        if checkpoint.size < self.published_size:
            return
        self.files.publish(note)
        self.published_size, self.is_published = checkpoint.size, True
        self._drop_partial()

    def _taken_up(self) -> Note:
        """The note of the head that is gone on from; it is signed again where `signed` says an older one or none, or
        a key of now has not signed it: the same text, under more keys.
        """
        kept = self.files.signed()
        as_it_is = kept is not None and kept.text == self.signed.text() and self._bears_all(kept)
        return kept if kept is not None and as_it_is else self._sign(self.signed)

    def _bears_all(self, note: Note) -> bool:
        return len(signers(note, self._verifiers)) == len(self._verifiers)

    def _sign(self, checkpoint: Checkpoint) -> Note:
        text = checkpoint.text()
        # Partial tiles go once they are full, and with them what kept two roots of one size apart; this stays.
        self.files.fence(checkpoint)
        note = Note(text, tuple(key.sign(text) for key in self.keys))
        self.files.keep_signed(note)
        return note

    def _drop_partial(self) -> None:
        """Partial tiles whose full one is published serve nobody. One that a crash leaves over does no harm."""
        full = {TileId(each.level, each.index) for size in self._partial_at for each in edge_tiles(size)}
        done = {tile for tile in full if tile.exists_in(self.published_size)}
        for tile in done:
            self.files.drop_partial(tile)
            if tile.level == 0:
                self.files.drop_partial(BundleId(tile.index))
        self._partial_at = [
            size for size in self._partial_at if any(_full(tile) not in done for tile in edge_tiles(size))
        ]


def _full(tile: TileId) -> TileId:
    return TileId(tile.level, tile.index)
