"""The tree over the 65,536 buckets of a record map, as ordinary tiles; what changes is hashed, the rest is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ledger.trust.bundle import decode_entries, encode_entries
from ledger.trust.format_fault import ProofFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.log_tiles import FileMissing
from ledger.trust.merkle import Node, perfect_root
from ledger.trust.merkle_check import check_inclusion
from ledger.trust.merkle_proof import plan_inclusion
from ledger.trust.record_map import (
    BUCKET_BYTES_MAX,
    BUCKETS,
    ROW_BYTES,
    MapRow,
    bucket_of,
    with_rows,
    without_rows,
)
from ledger.trust.tile import TILE_WIDTH, BundleId, TileId
from ledger.trust.tile_growth import Tile

PROOF_HASHES = 16
_TILES = BUCKETS // TILE_WIDTH
_TILES_BY_PATH = {TileId(0, index).path: index for index in range(_TILES)}
_BUNDLES_BY_PATH = {BundleId(index).entries_path: index for index in range(_TILES)}
_EMPTY_LEAF = leaf_hash(b"")
_EMPTY_TILE_ROOT = perfect_root([_EMPTY_LEAF] * TILE_WIDTH)


class MapTree:
    """A record map with its tree. Memory: 56 bytes a record and one hash a bucket.

    tree = MapTree(buckets_of_the_map_before)
    changed = tree.put(heads_of(envelopes).values())
    for index in changed:                # bundles and tiles of level 0 that differ from the map before
        write(tree.bundle(index)), write(tree.tile(index))
    for tile in tree.top(): write(tile)
    publish(tree.rows, tree.root())
    """

    def __init__(self, buckets: Mapping[int, bytes] | None = None) -> None:
        """Goes on from the buckets of an earlier map, by number; those left out are empty."""
        self._buckets = {number: data for number, data in (buckets or {}).items() if data}
        self._leaves = [_EMPTY_LEAF] * BUCKETS
        self._tile_roots = [_EMPTY_TILE_ROOT] * _TILES
        self._hash(self._buckets)

    @property
    def rows(self) -> int:
        """Records in the map."""
        return sum(map(len, self._buckets.values())) // ROW_BYTES

    def bucket(self, number: int) -> bytes:
        """The bytes of a bucket."""
        return self._buckets.get(number, b"")

    def put(self, rows: Iterable[MapRow]) -> list[int]:
        """Puts rows in; the indexes of the tiles of level 0, and of the bundles, that changed.

        BucketFull where a bucket would have more than 1,000 rows: nothing is put in then.
        """
        by_bucket: dict[int, list[MapRow]] = {}
        for row in rows:
            by_bucket.setdefault(bucket_of(row.record_id), []).append(row)
        changed = {number: with_rows(number, self.bucket(number), each) for number, each in by_bucket.items()}
        self._buckets.update(changed)
        return self._hash(changed)

    def take_back(self, before: Mapping[bytes, MapRow | None]) -> None:
        """Puts records where they stood before, as `heads_before` says; those that were not there are taken out."""
        self.put(row for row in before.values() if row is not None)
        gone: dict[int, list[bytes]] = {}
        for record_id in (each for each, row in before.items() if row is None):
            gone.setdefault(bucket_of(record_id), []).append(record_id)
        changed = {number: without_rows(number, self.bucket(number), each) for number, each in gone.items()}
        self._buckets.update(changed)
        self._hash(changed)

    def read(self, path: str) -> bytes:
        """A file of the map, as `LogTiles` and packs ask for it; FileMissing for any other path."""
        if path in _BUNDLES_BY_PATH:
            return self.bundle(_BUNDLES_BY_PATH[path])
        if path in _TILES_BY_PATH:
            return self.tile(_TILES_BY_PATH[path]).data
        for tile in self.top():
            if path == tile.id.path:
                return tile.data
        raise FileMissing(path)

    def root(self) -> bytes:
        """The map's root, 32 bytes."""
        return perfect_root(self._tile_roots)

    def proof(self, number: int) -> tuple[bytes, ...]:
        """The 16 hashes that show a bucket in the map."""
        return plan_inclusion(number, BUCKETS).proof(self._node)

    def bundle(self, index: int) -> bytes:
        """256 buckets as a bundle of entries; a bucket of 1,000 rows still fits a length of 16 bits."""
        first = index * TILE_WIDTH
        buckets = [self.bucket(number) for number in range(first, first + TILE_WIDTH)]
        return encode_entries(buckets, entry_bytes_max=BUCKET_BYTES_MAX)

    def tile(self, index: int) -> Tile:
        """A tile of level 0."""
        first = index * TILE_WIDTH
        return Tile(TileId(0, index), b"".join(self._leaves[first : first + TILE_WIDTH]))

    def top(self) -> list[Tile]:
        """The tile of level 1 and the partial one of level 2, whose only hash is the root."""
        return [Tile(TileId(1, 0), b"".join(self._tile_roots)), Tile(TileId(2, 0, 1), self.root())]

    def _hash(self, numbers: Iterable[int]) -> list[int]:
        tiles: set[int] = set()
        for number in numbers:
            self._leaves[number] = leaf_hash(self.bucket(number))
            tiles.add(number // TILE_WIDTH)
        for index in tiles:
            first = index * TILE_WIDTH
            self._tile_roots[index] = perfect_root(self._leaves[first : first + TILE_WIDTH])
        return sorted(tiles)

    def _node(self, node: Node) -> bytes:
        height = node.height
        if height >= 8:
            return perfect_root(self._tile_roots[node.index << (height - 8) : (node.index + 1) << (height - 8)])
        return perfect_root(self._leaves[node.index << height : (node.index + 1) << height])


def buckets_in(bundle: BundleId, data: bytes) -> dict[int, bytes]:
    """The buckets of a bundle that are not empty, by number; BundleFault for other bytes."""
    buckets = decode_entries(bundle, data, entry_bytes_max=BUCKET_BYTES_MAX)
    return {bundle.first_leaf + at: each for at, each in enumerate(buckets) if each}


def check_bucket(number: int, data: bytes, proof: tuple[bytes, ...], root: bytes) -> None:
    """That these are the bytes of a bucket in the map of this root; ProofFault where not."""
    if len(proof) != PROOF_HASHES:
        raise ProofFault(f"not {PROOF_HASHES} hashes")
    check_inclusion(leaf_hash(data), number, BUCKETS, proof, root)
