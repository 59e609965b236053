"""Growing the tree of tiles: from the right edge of the old tree and new leaves to the tiles that must be written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ledger.trust.format_fault import TileFault
from ledger.trust.merkle import Frontier, peaks_of, perfect_root
from ledger.trust.tile import TILE_HEIGHT, TILE_WIDTH, TileId, edge_tiles
from ledger.trust.tile_hashes import TileHashes, decode_hash_tile


class Tile(NamedTuple):
    """A tile as it is stored."""

    id: TileId
    data: bytes


class TileGrowth:
    """The growing right edge of the tree, level by level; at most 255 hashes are held per level.

        growth = TileGrowth(size, {tile: read(tile) for tile in edge_tiles(size)})
        for tile in growth.extend(leaf_hashes):   # full tiles, each as soon as it is complete
            write(tile)
        for tile in growth.edge():                # the partial tiles of the size to be signed
            write(tile)
        sign(growth.size, growth.root())

    A crash in between does no harm: the same leaves lead to the same tiles, byte for byte.
    """

    def __init__(self, size: int = 0, edge: Mapping[TileId, bytes] | None = None) -> None:
        """Goes on from `size` leaves with the bytes of `edge_tiles(size)`; TileFault where one is missing or torn.

        Compare `root()` with the signed root of that size before growing: tiles prove nothing by themselves.
        """
        held = edge or {}
        self._size = size
        self._levels: list[list[bytes]] = []
        for tile in edge_tiles(size):
            if tile not in held:
                raise TileFault(f"{tile.path} is missing")
            self._level(tile.level).extend(decode_hash_tile(tile, held[tile]))

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._size

    def extend(self, leaf_hashes: Iterable[bytes]) -> list[Tile]:
        """Adds leaves in order; the tiles that they fill, lower levels first where one fills another."""
        filled: list[Tile] = []
        leaves, row, begin = list(leaf_hashes), self._level(0), 0
        while begin < len(leaves):
            fitting = leaves[begin : begin + TILE_WIDTH - len(row)]
            row += fitting
            begin += len(fitting)
            self._size += len(fitting)
            if len(row) == TILE_WIDTH:
                self._close(0, filled)
        return filled

    def edge(self) -> list[Tile]:
        """The partial tiles at this size, lowest level first; none where the size fills all its tiles."""
        return [Tile(tile, b"".join(self._levels[tile.level])) for tile in edge_tiles(self._size)]

    def root(self) -> bytes:
        """The tree's root at this size."""
        return self.frontier().root()

    def frontier(self) -> Frontier:
        """The same tree as a frontier of peaks."""
        hashes = TileHashes(self._size, dict(self.edge()))
        return Frontier(self._size, [hashes.node(node) for node in peaks_of(0, self._size)])

    def _close(self, level: int, filled: list[Tile]) -> None:
        """Writes out the full tile of a level and carries its root up."""
        row = self._level(level)
        index = (self._size >> (TILE_HEIGHT * (level + 1))) - 1
        filled.append(Tile(TileId(level, index), b"".join(row)))
        above = self._level(level + 1)
        above.append(perfect_root(row))
        row.clear()
        if len(above) == TILE_WIDTH:
            self._close(level + 1, filled)

    def _level(self, level: int) -> list[bytes]:
        while len(self._levels) <= level:
            self._levels.append([])
        return self._levels[level]
