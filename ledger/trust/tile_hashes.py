"""The bytes of hash tiles, and any node's hash out of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ledger.trust.format_fault import TileFault
from ledger.trust.merkle import HASH_BYTES, Node, folded, peaks_of, perfect_root
from ledger.trust.tile import HASH_TILE_BYTES_MAX, TILE_HEIGHT, TILE_WIDTH, TileId, edge_tiles, tile_of


def decode_hash_tile(tile: TileId, data: bytes) -> list[bytes]:
    """The tile's hashes.

    `data` may come from a wider tile of the same place, since a log may drop a partial tile once the full one is
    there; what is beyond the width is left out. TileFault for fewer or torn hashes.
    """
    if len(data) % HASH_BYTES or not tile.width * HASH_BYTES <= len(data) <= HASH_TILE_BYTES_MAX:
        raise TileFault(f"{len(data)} bytes for {tile.width} hashes")
    return [data[at : at + HASH_BYTES] for at in range(0, tile.width * HASH_BYTES, HASH_BYTES)]


def encode_hash_tile(hashes: Sequence[bytes]) -> bytes:
    """The bytes of a tile of 1 to 256 hashes; TileFault for another number, or a hash that is not 32 bytes."""
    if not 1 <= len(hashes) <= TILE_WIDTH or any(len(each) != HASH_BYTES for each in hashes):
        raise TileFault("not 1 to 256 hashes of 32 bytes")
    return b"".join(hashes)


class TileHashes:
    """Hashes of nodes in the tree of `size` leaves, out of the tiles that were fetched for it.

    Tiles prove nothing by themselves: what is computed here counts once it is compared with a signed root.
    """

    def __init__(self, size: int, tiles: Mapping[TileId, bytes]) -> None:
        """`tiles` by the ids that `tiles_of(..., size)` named."""
        self._size = size
        self._tiles = {tile: decode_hash_tile(tile, data) for tile, data in tiles.items()}

    def node(self, node: Node) -> bytes:
        """The node's hash; TileFault where the tree has no such node or its tile was not fetched."""
        tile = tile_of(node, self._size)
        hashes = self._tiles.get(tile)
        if hashes is None:
            raise TileFault(f"{tile.path} is missing")
        inner = node.height % TILE_HEIGHT
        begin = (node.index << inner) - tile.index * TILE_WIDTH
        return perfect_root(hashes[begin : begin + (1 << inner)])

    def root(self) -> bytes:
        """The tree's root; needs the tiles of `edge_tiles(size)` and no others."""
        return folded([self.node(node) for node in peaks_of(0, self._size)])


def root_of_edge(size: int, tiles: Mapping[TileId, bytes]) -> bytes:
    """The root of the tree of `size` leaves from its partial tiles alone (`edge_tiles(size)`)."""
    return TileHashes(size, {tile: tiles[tile] for tile in edge_tiles(size)}).root()
