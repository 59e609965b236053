"""The tree over everything that an archive holds, compared with a head that the hospital's log has signed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from consumers.archive_office.manifest import BadManifest, Manifest
from consumers.archive_office.verification import rows_in_order
from consumers.kept_heads import Prove
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.format_fault import ProofFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Frontier
from ledger.trust.merkle_check import check_consistency


class ArchiveDiffers(Exception):
    """The events that were served are not the ones that the log has signed."""

    def __init__(self, checkpoint: Checkpoint, position: int) -> None:
        super().__init__(f"{checkpoint.origin}, size {checkpoint.size}, at position {position}: {self.__doc__}")
        self.checkpoint = checkpoint
        self.position = position


class ArchivedTree:
    """Grows with the archive; a head below what the archive holds already is compared with its files."""

    def __init__(self, folder: Path, manifest: Manifest, checkpoint: Checkpoint | None) -> None:
        """Goes on from the manifest; where an earlier release wrote it, from the archive's files."""
        self.checkpoint = checkpoint
        self._compared = checkpoint is None
        self._frontier = _frontier_of(folder, manifest)
        if checkpoint is not None and checkpoint.size < self._frontier.size:
            self._compare(_rebuilt(folder, manifest, checkpoint.size))
        self._compare(self._frontier)

    @property
    def peaks(self) -> Sequence[bytes]:
        """For the manifest."""
        return self._frontier.peaks

    def take(self, leaf: bytes) -> None:
        """Adds the next event by its leaf hash. Raises ArchiveDiffers at the position that the log's head covers."""
        self._frontier.append(leaf)
        self._compare(self._frontier)

    def require_compared(self) -> None:
        """Raises ArchiveDiffers where the service served fewer events than the log has signed."""
        if self.checkpoint is not None and not self._compared:
            raise ArchiveDiffers(self.checkpoint, self._frontier.size)

    def require_one_tree(self, prove: Prove) -> None:
        """Raises ArchiveDiffers where archive and head are not of one tree, whichever of them has more; and what
        `prove` raises, which is asked where the log goes on beyond the archive.
        """
        head, size = self.checkpoint, self._frontier.size
        if head is None or self._compared:
            return
        try:
            check_consistency(size, head.size, tuple(prove(size, head.size)), self._frontier.root(), head.root)
        except ProofFault as fault:
            raise ArchiveDiffers(head, size) from fault

    def _compare(self, tree: Frontier) -> None:
        if self.checkpoint is None or tree.size != self.checkpoint.size:
            return
        if tree.root() != self.checkpoint.root:
            raise ArchiveDiffers(self.checkpoint, tree.size)
        self._compared = True


def _frontier_of(folder: Path, manifest: Manifest) -> Frontier:
    if manifest.tree_peaks is None:
        return _rebuilt(folder, manifest, manifest.head_position)
    try:
        return Frontier(manifest.head_position, [bytes.fromhex(peak) for peak in manifest.tree_peaks])
    except ValueError as error:
        raise BadManifest(folder, "its tree does not belong to its head") from error


def _rebuilt(folder: Path, manifest: Manifest, size: int) -> Frontier:
    frontier = Frontier()
    frontier.extend(leaf_hash(row.envelope) for row in islice(rows_in_order(folder, manifest), size))
    return frontier
