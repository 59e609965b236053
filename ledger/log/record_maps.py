"""A hospital's record maps among its log's files: built from the entries, kept as tiles, the newest few."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from ledger.blobs.contract import Blobs
from ledger.log.log_files import LogDamaged, LogFiles
from ledger.log.proven_entries import proven_entries
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.fault import EnvelopeFault
from ledger.trust.format_fault import BundleFault, MapFault
from ledger.trust.log_tiles import FileMissing, ReadFile
from ledger.trust.map_tree import MapTree, buckets_in
from ledger.trust.merkle import HASH_BYTES
from ledger.trust.pack_making import map_folder
from ledger.trust.record_map import heads_before, heads_of
from ledger.trust.tile import TILE_WIDTH, BundleId, TileId

MAPS_KEPT = 2
"""The newest map may not be under a published checkpoint yet; the one before it is."""
TAKEN_BACK_MAX = 1_000_000
"""Events: so far behind a kept map an earlier one may lie that is made again from it."""
_PUBLISHED = "map/published"
_BUNDLES = 256
_ROOT = TileId(2, 0, 1)


class PublishedAt(NamedTuple):
    """A map that was published."""

    size: int
    """N: the map is that of the positions 1 to N."""
    position: int
    """Of its MapPublished event."""


class RecordMaps:
    """The maps of one hospital. Every call blocks; BlobError where the store fails, LogDamaged for wrong bytes."""

    def __init__(self, blobs: Blobs, folder: str) -> None:
        """`folder`: of the log's files. Nothing is read before it is needed."""
        self._blobs = blobs
        self._folder = folder
        self._files = LogFiles(blobs, folder)

    def published(self) -> list[PublishedAt]:
        """The maps that are kept, oldest first."""
        data = self._files.read(_PUBLISHED) or b""
        try:
            return [PublishedAt(*map(int, line.split(b" "))) for line in data.splitlines()]
        except (ValueError, TypeError):
            raise LogDamaged(_PUBLISHED, "not lines of size and position") from None

    def reader(self, size: int) -> ReadFile:
        """Reads a kept map's own files: its tiles, and its buckets as bundles of entries."""
        return file_reader(self._files, map_folder(size))

    def newest(self, upto: int) -> tuple[PublishedAt, MapTree] | None:
        """The newest kept map of at most so many events, which leads to its own root; None where none is kept.

        It counts once the ledger has said that this very root was published: whoever writes the files can write a map.
        """
        kept = [each for each in self.published() if each.size <= upto]
        return (kept[-1], self._loaded(kept[-1].size)) if kept else None

    def earlier(self, size: int, head: Checkpoint) -> MapTree | None:
        """The map of the first `size` entries though it is kept no longer: the next later one that is kept, with what
        the entries in between have changed taken back. None where that is not to be had, or too far back.

        What comes out counts where its root is the one that was published. `head` must have been checked.
        """
        later = next((each.size for each in self.published() if size <= each.size <= head.size), 0)
        if not later or later - size > TAKEN_BACK_MAX:
            return None
        tree = self._loaded(later)
        try:
            tree.take_back(heads_before(chain.from_iterable(self._entries(size, head, later))))
        except EnvelopeFault as fault:
            raise LogDamaged("tile/entries", str(fault)) from None
        return tree

    def build(self, head: Checkpoint, begin: int = 0, tree: MapTree | None = None) -> MapTree:
        """The map of the entries below a checked head, grown from that of the first `begin` entries."""
        tree = tree or MapTree()
        for entries in self._entries(begin, head):
            try:
                tree.put(heads_of(entries).values())
            except EnvelopeFault as fault:
                raise LogDamaged("tile/entries", str(fault)) from None
        return tree

    def keep(self, size: int, tree: MapTree) -> None:
        """Writes a map's files; a map that is there already is the same."""
        folder = map_folder(size)
        for index in range(_BUNDLES):
            tile = tree.tile(index)
            self._files.write(
                {folder + tile.id.path: tile.data, folder + BundleId(index).entries_path: tree.bundle(index)}
            )
        self._files.write({folder + tile.id.path: tile.data for tile in tree.top()})

    def note_published(self, made: PublishedAt) -> None:
        """From now on packs go by this map, once a checkpoint covers it; the oldest ones go."""
        known = [each for each in self.published() if each.size < made.size]
        kept = [*known, made][-MAPS_KEPT:]
        text = "".join(f"{size} {position}\n" for size, position in kept)
        self._blobs.put(f"{self._folder}/{_PUBLISHED}", text.encode())
        for each in known:
            if each not in kept:
                self._drop(each.size)

    def _drop(self, size: int) -> None:
        for name in self._blobs.names(f"{self._folder}/{map_folder(size).rstrip('/')}"):
            self._blobs.delete(name)

    def _loaded(self, size: int) -> MapTree:
        """A kept map, which must lead to its own root."""
        read = self.reader(size)
        buckets: dict[int, bytes] = {}
        try:
            for index in range(_BUNDLES):
                bundle = BundleId(index)
                buckets.update(buckets_in(bundle, read(bundle.entries_path)))
            tree, root = MapTree(buckets), read(_ROOT.path)
        except (FileMissing, BundleFault, MapFault) as fault:
            raise LogDamaged(map_folder(size), str(fault)) from None
        if root[:HASH_BYTES] != tree.root():
            raise LogDamaged(map_folder(size) + _ROOT.path, "not the root of its buckets")
        return tree

    def _entries(self, begin: int, head: Checkpoint, end: int | None = None) -> Iterator[list[bytes]]:
        """The entries of the indexes from `begin` to `end` (None: the head), by bundle, leaves of the head's tree."""
        end = head.size if end is None else end
        for index in range(begin // TILE_WIDTH, -(-end // TILE_WIDTH)):
            first = index * TILE_WIDTH
            yield proven_entries(self._files, index, head)[max(begin - first, 0) : end - first]


def file_reader(files: LogFiles, folder: str = "") -> ReadFile:
    """Reads static files below a folder of the log."""

    def read(path: str) -> bytes:
        data = files.read(folder + path)
        if data is None:
            raise FileMissing(folder + path)
        return data

    return read
