"""Proofs out of a log's tiles. What they say counts once it is checked against signed roots."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from ledger.trust.merkle import Node
from ledger.trust.merkle_proof import ProofPlan, plan_consistency, plan_inclusion
from ledger.trust.tile import TileId, tile_of, tiles_of
from ledger.trust.tile_hashes import TileHashes


class Tiles(Protocol):
    """Where hash tiles are read: `LogFiles`, or a log over HTTP. What they raise is raised here."""

    def tiles(self, tiles: Iterable[TileId]) -> dict[TileId, bytes]:
        """Several hash tiles by their ids."""
        ...


def consistency_proof(files: Tiles, old_size: int, size: int) -> tuple[bytes, ...]:
    """That the tree of `size` leaves begins with that of `old_size`. TileFault for torn tiles."""
    return _proof(files, plan_consistency(old_size, size), size)


def inclusion_proof(files: Tiles, index: int, size: int) -> tuple[bytes, ...]:
    """The audit path of the leaf at `index` (from 0) in the tree of `size` leaves. As `consistency_proof`."""
    return _proof(files, plan_inclusion(index, size), size)


def kept_leaf_hash(files: Tiles, index: int, size: int) -> bytes:
    """The hash of the leaf at `index` as the tiles of the tree of `size` leaves have it."""
    leaf = Node(0, index)
    tile = tile_of(leaf, size)
    return TileHashes(size, files.tiles([tile])).node(leaf)


def _proof(files: Tiles, plan: ProofPlan, size: int) -> tuple[bytes, ...]:
    return plan.proof(TileHashes(size, files.tiles(tiles_of(plan.nodes, size))).node)
