"""Entries and bodies of a log that its signed tree vouches for; whoever writes the files can write a bundle too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from ledger.log.log_files import LogDamaged, LogFiles
from ledger.log.log_proofs import inclusion_proof
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.fault import EnvelopeFault
from ledger.trust.format_fault import ProofFault, TileFault
from ledger.trust.glance import glance
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import HASH_BYTES
from ledger.trust.merkle_check import check_inclusion
from ledger.trust.tile import TILE_WIDTH, BundleId, TileId


def bundle_in(index: int, size: int) -> BundleId:
    """The bundle at an index in a log of `size` leaves: the last one may be partial."""
    return BundleId(index, min(TILE_WIDTH, size - index * TILE_WIDTH))


def proven_entries(files: LogFiles, index: int, head: Checkpoint) -> list[bytes]:
    """The entries of the bundle at an index, which are leaves of the tree of `head`. LogDamaged, BlobError.

    `head` must have been checked. The path of the bundle's first leaf is computed over the hashes of all its entries,
    in the place of their tile: a single one that differs leads to another root.
    """
    bundle = bundle_in(index, head.size)
    entries = files.entries(bundle)
    if not _are_leaves(files, bundle, b"".join(map(leaf_hash, entries)), head):
        raise LogDamaged(bundle.entries_path, "the entries are not leaves of the signed tree")
    return entries


class RawBundle(NamedTuple):
    """A full bundle as its files have it."""

    entries: bytes
    bodies: bytes
    leaf_hashes: bytes
    """Which the entries must have; they are leaves of the signed tree."""


def raw_bundle(files: LogFiles, index: int, head: Checkpoint) -> RawBundle:
    """A bundle unopened, beside the leaf hashes that the tree of `head` vouches for. LogDamaged, BlobError.

    Whoever opens it has to compare the two, and the bodies with what the entries name.
    """
    bundle, tile = BundleId(index), TileId(0, index)
    entries, bodies, hashes = files.read(bundle.entries_path), files.read(bundle.bodies_path), files.tile(tile)
    if entries is None or bodies is None:
        raise LogDamaged(bundle.entries_path if entries is None else bundle.bodies_path, "missing")
    if len(hashes) != TILE_WIDTH * HASH_BYTES or not _are_leaves(files, bundle, hashes, head):
        raise LogDamaged(tile.path, "not leaves of the signed tree")
    return RawBundle(entries, bodies, hashes)


def _are_leaves(files: LogFiles, bundle: BundleId, hashes: bytes, head: Checkpoint) -> bool:
    """Whether these are the leaf hashes of a bundle's place in the tree."""
    try:
        path = inclusion_proof(
            _Instead(files, TileId(0, bundle.index, bundle.width), hashes), bundle.first_leaf, head.size
        )
        check_inclusion(hashes[:HASH_BYTES], bundle.first_leaf, head.size, path, head.root)
    except (ProofFault, TileFault):
        return False
    return True


def matching_bodies(files: LogFiles, index: int, size: int, entries: Sequence[bytes]) -> list[bytes]:
    """The bodies of the bundle at an index, each with the digest that its entry names. LogDamaged, BlobError."""
    bundle = bundle_in(index, size)
    bodies = files.bodies(bundle)
    for position, (entry, body) in enumerate(zip(entries, bodies, strict=True), bundle.first_leaf + 1):
        try:
            named = glance(entry).body_sha256
        except EnvelopeFault:
            raise LogDamaged(bundle.entries_path, f"position {position} is no envelope") from None
        if named != sha256(body).digest():
            raise LogDamaged(bundle.bodies_path, f"position {position} has not the digest of its envelope")
    return bodies


class _Instead:
    """The tiles of a log with the content of one put in its place."""

    def __init__(self, files: LogFiles, tile: TileId, data: bytes) -> None:
        self._files = files
        self._tile = tile
        self._data = data

    def tiles(self, tiles: Iterable[TileId]) -> dict[TileId, bytes]:
        return {each: self._data if each == self._tile else self._files.tile(each) for each in tiles}
