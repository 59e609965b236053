"""Growing a log: events come in order, tiles and bundles go out. What is written never changes, so a crash anywhere
does no harm: the same events lead to the same files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from ledger.log.log_files import LogDamaged, LogFiles
from ledger.trust.bundle import encode_bodies, encode_entries
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.envelope import decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.format_fault import TileFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Frontier
from ledger.trust.tile import TILE_WIDTH, BundleId, edge_tiles
from ledger.trust.tile_growth import TileGrowth


@dataclass(frozen=True, slots=True)
class StoredLeaf:
    """An event as the log keeps it."""

    position: int
    envelope: bytes
    body: bytes


class PositionMissing(Exception):
    """The ledger did not give the event that comes next."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(f"{self.__doc__} expected position {expected}, found {found}")
        self.expected = expected


class LogGrowth:
    """The growing end of a log: at most 255 events and as many hashes per level are held."""

    def __init__(self, files: LogFiles, tiles: TileGrowth, entries: list[bytes], bodies: list[bytes]) -> None:
        """Use `open_growth`."""
        self._files = files
        self._tiles = tiles
        self._entries = entries
        self._bodies = bodies

    @property
    def size(self) -> int:
        """Leaves so far: the last position taken."""
        return self._tiles.size

    def frontier(self) -> Frontier:
        """The tree so far."""
        return self._tiles.frontier()

    def take(self, leaves: Sequence[StoredLeaf]) -> None:
        """Adds events in order; full tiles and bundles are on disk when it returns. PositionMissing, BlobError.

        After an error this object is not to be used again.
        """
        hashes: list[bytes] = []
        for expected, leaf in enumerate(leaves, self.size + 1):
            if leaf.position != expected:
                raise PositionMissing(expected, leaf.position)
            hashes.append(sha256(b"\x00" + leaf.envelope).digest())  # leaf_hash, unrolled: it bounds the rate
        written = self._full_bundles(leaves)
        for tile in self._tiles.extend(hashes):
            written[tile.id.path] = tile.data
        self._files.write(written)

    def finish(self, origin: str) -> Checkpoint:
        """Writes the partial tiles and bundles of this size; then the checkpoint that may be signed.

        Two roots of one size are impossible here: a root follows from the edge tiles of its size, and those are
        written only where nothing else is there under their names.
        """
        edge = {tile.id.path: tile.data for tile in self._tiles.edge()}
        if self._entries:
            bundle = BundleId(self.size // TILE_WIDTH, len(self._entries))
            edge[bundle.entries_path] = encode_entries(self._entries)
            edge[bundle.bodies_path] = encode_bodies(self._bodies)
        self._files.write(edge)
        return Checkpoint(origin, self.size, self._tiles.root())

    def _full_bundles(self, leaves: Sequence[StoredLeaf]) -> dict[str, bytes]:
        written: dict[str, bytes] = {}
        index = self.size // TILE_WIDTH
        self._entries += [leaf.envelope for leaf in leaves]
        self._bodies += [leaf.body for leaf in leaves]
        begin = 0
        while len(self._entries) - begin >= TILE_WIDTH:
            bundle, end = BundleId(index), begin + TILE_WIDTH
            written[bundle.entries_path] = encode_entries(self._entries[begin:end])
            written[bundle.bodies_path] = encode_bodies(self._bodies[begin:end])
            index, begin = index + 1, end
        del self._entries[:begin], self._bodies[:begin]
        return written


def open_growth(files: LogFiles, checkpoint: Checkpoint) -> LogGrowth:
    """Goes on from the last signed checkpoint, whose root the tiles must have. LogDamaged, BlobError."""
    size = checkpoint.size
    try:
        tiles = TileGrowth(size, files.tiles(edge_tiles(size)))
    except TileFault as fault:
        raise LogDamaged("tile", "; ".join(fault.faults)) from None
    if tiles.root() != checkpoint.root:
        raise LogDamaged("tile", f"the tiles of size {size} do not have the root that was signed")
    entries: list[bytes] = []
    bodies: list[bytes] = []
    if width := size % TILE_WIDTH:
        bundle = BundleId(size // TILE_WIDTH, width)
        entries, bodies = files.entries(bundle), files.bodies(bundle)
        _check_leaves(files, bundle, entries)
        _check_bodies(bundle, entries, bodies)
    return LogGrowth(files, tiles, entries, bodies)


def _check_leaves(files: LogFiles, bundle: BundleId, entries: Sequence[bytes]) -> None:
    tile = next(each for each in edge_tiles(bundle.first_leaf + bundle.width) if each.level == 0)
    if b"".join(map(leaf_hash, entries)) != files.tile(tile)[: tile.width * 32]:
        raise LogDamaged(bundle.entries_path, "the entries are not the leaves of their tile")


def _check_bodies(bundle: BundleId, entries: Sequence[bytes], bodies: Sequence[bytes]) -> None:
    """Unchecked, a changed body would be written on into every later bundle of its place."""
    for position, (entry, body) in enumerate(zip(entries, bodies, strict=True), bundle.first_leaf + 1):
        try:
            digest = decode(entry).body_sha256
        except EnvelopeFault:
            raise LogDamaged(bundle.entries_path, f"position {position} is no envelope") from None
        if digest != sha256(body).digest():
            raise LogDamaged(bundle.bodies_path, f"position {position} has not the digest of its envelope")
