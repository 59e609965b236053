"""One hospital's log while it is integrated: it grows, signs its heads, and publishes them."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

from ledger.blobs.contract import BlobDiffers
from ledger.log.log_files import SIGNED, LogDamaged, LogFiles, seen_path
from ledger.log.log_growth import StoredLeaf, open_growth
from ledger.log.own_heads import newest_head
from ledger.log.seen_files import named_seen
from ledger.log.seen_heads import SeenHeads
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import EMPTY_ROOT
from ledger.trust.note import Note
from ledger.trust.note_key import SigningKey, VerifierKey
from ledger.trust.signed_note import signers
from ledger.trust.tile import BundleId, TileId, edge_tiles


class LogTakenOver(Exception):
    """Another process has signed meanwhile; this one begins again from what is kept."""


class HeadUnproven(Exception):
    """A key of now has not signed the head that the log goes on from: it signs what the ledger's own events lead to."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class SignedLog:
    """All calls block. After an error the object is not to be used again: what counts is on disk."""

    def __init__(self, files: LogFiles, origin: str, *keys: SigningKey, known: Sequence[VerifierKey] = ()) -> None:
        """Finds the last signed checkpoint, which counts under one of `keys`, or of `known`, which signed before: a log
        store that was put back may end before its keys changed. Nothing is signed before `take_up`.

        LogDamaged where no key has signed it, the tiles do not have its root, or it is missing; LogEndedForEver,
        BlobError.
        """
        files.refuse_if_ended()
        self.files = files
        self.keys = keys
        self._verifiers = [key.verifier() for key in keys]
        self._known = tuple(known)
        self._signing = Lock()
        """Held while `signed` is put there: a head is published beside the growth, and compares with it."""
        self.signed: Checkpoint = newest_head(files, origin, [*self._verifiers, *known]) or Checkpoint(
            origin, 0, EMPTY_ROOT
        )
        self._growth = open_growth(files, self.signed)
        self._seen = SeenHeads(named_seen(files))
        self._kept, published = files.signed(), files.published()
        self._missing = self._not_signed_by(self._kept, published)
        self.is_taken_up: bool = self._is_of_now(self._kept)
        self.published_size = parse_checkpoint(published.text).size if published else 0
        self.is_published = published is not None and self._bears_all(published)
        self._partial_at = [self.signed.size]

    @property
    def verifier(self) -> VerifierKey:
        """The key that others check its signature with; the first of two."""
        return self._verifiers[0]

    @property
    def signed_note(self) -> Note:
        """Of the last head, under every key of now; HeadUnproven before the log is taken up."""
        if self._kept is None or not self.is_taken_up:
            raise HeadUnproven
        return self._kept

    @property
    def is_unproven(self) -> bool:
        """Whether a key of now has not signed the head that is gone on from. Who has only a key that was put away, and
        the files, could have made another tree that ends with the ledger's own last event.
        """
        return bool(self._missing) and self.signed.size > 0

    @property
    def size(self) -> int:
        """Leaves taken; those beyond `signed.size` are not signed yet."""
        return self._growth.size

    @property
    def is_settled(self) -> bool:
        """Whether everything that was signed is published."""
        return self.is_published and self.published_size == self.signed.size

    def take_up(self, rebuilt: bytes = b"") -> None:
        """Signs the head that is gone on from where `signed` says an older one or none, or a key of now has not signed
        it: the same text, under all keys. `rebuilt`: the root of the ledger's own events, for a head that is unproven.
        HeadUnproven without it, and as `require_ours`.
        """
        if self.is_taken_up:
            return
        if self.is_unproven and rebuilt != self.signed.root:
            raise HeadUnproven
        self.require_ours()
        self._sign(self.signed)

    def take(self, leaves: Sequence[StoredLeaf]) -> None:
        """Adds events in order. BlobDiffers where they do not come by a head that somebody was shown of this log."""
        if self._seen.within(self.size, self.size + len(leaves)):
            hashes = [leaf_hash(leaf.envelope) for leaf in leaves]
            # Before anything is written: what is written stays.
            if size := self._seen.first_differing(self._growth.frontier(), hashes):
                raise BlobDiffers(seen_path(size))
        self._growth.take(leaves)

    def sign(self) -> Note:
        """Signs the head of now and keeps it. Raises LogTakenOver where somebody else has signed since."""
        self.take_up()
        self.require_ours()
        checkpoint = self._growth.finish(self.signed.origin)
        if checkpoint.size > self.signed.size:
            self._sign(checkpoint)
            self.signed = checkpoint
            self._partial_at.append(checkpoint.size)
        return self.signed_note

    def require_ours(self) -> None:
        """Raises LogTakenOver where somebody else has signed since, LogDamaged where what was signed is gone,
        LogEndedForEver where the log was closed.
        """
        self.files.refuse_if_ended()
        kept = self.files.signed()
        if kept is None and self._kept is not None:
            raise LogDamaged(SIGNED, "missing, though it was there")
        if kept is not None and (self._kept is None or kept.text != self._kept.text):
            raise LogTakenOver(LogTakenOver.__doc__)

    def publish(self, note: Note, checkpoint: Checkpoint) -> None:
        """Puts a signed head where everybody reads it; a smaller one never follows a larger one, whoever published it.

        LogTakenOver where somebody else has signed since: witnesses may have kept us waiting past the lease's term.
        """
        if checkpoint.size < self.published_size:
            return
        with self._signing:
            self.require_ours()
        if self._published_by_another() > checkpoint.size:
            raise LogTakenOver(LogTakenOver.__doc__)
        self.files.publish(note)
        self.published_size, self.is_published = checkpoint.size, True
        self._drop_partial()

    def _published_by_another(self) -> int:
        """Size of the head that lies there; 0 where it is not the log's: whoever writes files must not hold ours up."""
        try:
            note = self.files.published()
        except LogDamaged:  # bytes that are no head at all: the one that is published now takes their place
            return 0
        if note is None or not signers(note, [*self._verifiers, *self._known]):
            return 0
        head = parse_checkpoint(note.text)
        return head.size if head.origin == self.signed.origin else 0

    def _is_of_now(self, kept: Note | None) -> bool:
        return kept is not None and kept.text == self.signed.text() and self._bears_all(kept)

    def _not_signed_by(self, *notes: Note | None) -> list[VerifierKey]:
        """The keys of now that have signed the head in none of these notes."""
        of_head = [note for note in notes if note is not None and note.text == self.signed.text()]
        signed = {key for note in of_head for key in signers(note, self._verifiers)}
        return [key for key in self._verifiers if key not in signed]

    def _bears_all(self, note: Note) -> bool:
        return len(signers(note, self._verifiers)) == len(self._verifiers)

    def _sign(self, checkpoint: Checkpoint) -> None:
        text = checkpoint.text()
        # Partial tiles go once they are full, and with them what kept two roots of one size apart; this stays.
        self.files.fence(checkpoint)
        note = Note(text, tuple(key.sign(text) for key in self.keys))
        with self._signing:
            self.files.keep_signed(note)
            self._kept, self._missing, self.is_taken_up = note, [], True

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
