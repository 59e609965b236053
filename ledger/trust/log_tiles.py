"""Proofs out of a log's tiles, wherever they lie: a folder, a bucket, a web server. Nothing else is asked for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from ledger.trust.merkle import Node
from ledger.trust.merkle_proof import ProofPlan, plan_consistency, plan_inclusion
from ledger.trust.tile import TILE_WIDTH, BundleId, TileId, edge_tiles, tiles_of
from ledger.trust.tile_hashes import TileHashes


class FileMissing(Exception):
    """The log has no file of this path."""

    def __init__(self, path: str) -> None:
        super().__init__(f"the log has no {path}")
        self.path = path


class ReadFile(Protocol):
    """Reads one static file of a log by its path, for example `tile/0/x001/234`, `checkpoint`, `bodies/000.p/7`."""

    def __call__(self, path: str) -> bytes:
        """The bytes; FileMissing where there is no such file."""
        ...


class LogTiles:
    """The tree of `size` leaves as its tiles have it. Counts once `root()` was compared with a signed root."""

    def __init__(self, read: ReadFile, size: int) -> None:
        self._read = read
        self.size = size

    def inclusion(self, index: int) -> tuple[bytes, ...]:
        """The audit path of the leaf at `index`; ValueError for no leaf, FileMissing or TileFault for broken tiles."""
        return self._proof(plan_inclusion(index, self.size))

    def consistency(self, old_size: int) -> tuple[bytes, ...]:
        """That the tree of `old_size` leaves is the beginning of this one; raises as `inclusion`."""
        return self._proof(plan_consistency(old_size, self.size))

    def root(self) -> bytes:
        """The root from the partial tiles."""
        return TileHashes(self.size, self._tiles(edge_tiles(self.size))).root()

    def leaf_hash(self, index: int) -> bytes:
        """The hash of one leaf."""
        node = Node(0, index)
        return TileHashes(self.size, self._tiles(tiles_of([node], self.size))).node(node)

    def _proof(self, plan: ProofPlan) -> tuple[bytes, ...]:
        return plan.proof(TileHashes(self.size, self._tiles(tiles_of(plan.nodes, self.size))).node)

    def _tiles(self, tiles: Iterable[TileId]) -> dict[TileId, bytes]:
        return {tile: read_tile(self._read, tile) for tile in tiles}


def read_tile(read: ReadFile, tile: TileId) -> bytes:
    """A tile's bytes; where a partial one is gone, those of the full one that came after it."""
    try:
        return read(tile.path)
    except FileMissing:
        if tile.is_full:
            raise
        return read(TileId(tile.level, tile.index).path)


def bundles_of(size: int) -> list[BundleId]:
    """The bundles of entries in a log of `size` leaves, in order."""
    full, rest = divmod(size, TILE_WIDTH)
    return [*(BundleId(index) for index in range(full)), *([BundleId(full, rest)] if rest else [])]
