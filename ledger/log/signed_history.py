"""A ledger that is shorter than its signed log: whether it is that log's beginning, and what of the rest is there."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

from ledger.log.log_files import SIGNED, LogDamaged, LogFiles
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.envelope import decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Frontier, folded, peaks_of
from ledger.trust.tile import TILE_WIDTH, BundleId, tiles_of
from ledger.trust.tile_hashes import TileHashes


class AnotherHistory(Exception):
    """The ledger is not the beginning of what its log has signed; refilling cannot mend that."""

    def __init__(self, position: int) -> None:
        super().__init__(f"{self.__doc__} Compared up to position {position}.")
        self.position = position


def require_beginning(files: LogFiles, tree: Frontier, signed: Checkpoint) -> None:
    """Raises AnotherHistory where the tree is not the beginning of the signed one; LogDamaged, BlobError."""
    nodes = peaks_of(0, tree.size)
    hashes = TileHashes(signed.size, files.tiles(tiles_of([*nodes, *peaks_of(0, signed.size)], signed.size)))
    if hashes.root() != signed.root or [hashes.node(node) for node in nodes] != list(tree.peaks):
        raise AnotherHistory(tree.size)


def root_within(files: LogFiles, signed: Checkpoint, size: int) -> bytes:
    """The root that the signed tree had at a size up to its own. LogDamaged where the tiles are not what was signed."""
    nodes = peaks_of(0, size)
    hashes = TileHashes(signed.size, files.tiles(tiles_of([*nodes, *peaks_of(0, signed.size)], signed.size)))
    if hashes.root() != signed.root:
        raise LogDamaged(SIGNED, "the hash tiles have another root")
    return folded([hashes.node(node) for node in nodes])


def kept_events(files: LogFiles, tree: Frontier, signed: Checkpoint) -> Iterator[list[tuple[bytes, bytes]]]:
    """What the log's bundles hold above a tree, a bundle at a time, each compared with the signed root before it is
    given. The tree has grown by a bundle once the next one is asked for. AnotherHistory, LogDamaged, BlobError.
    """
    while tree.size < signed.size:
        index = tree.size // TILE_WIDTH
        bundle = BundleId(index, min(TILE_WIDTH, signed.size - index * TILE_WIDTH))
        begin = tree.size - bundle.first_leaf
        events = list(zip(files.entries(bundle), files.bodies(bundle), strict=True))[begin:]
        grown = Frontier(tree.size, tree.peaks)
        grown.extend(leaf_hash(envelope) for envelope, _ in events)
        require_beginning(files, grown, signed)
        yield events
        tree.extend(leaf_hash(envelope) for envelope, _ in events)


class Kept(NamedTuple):
    """How far the log's bundles lead."""

    position: int
    """Up to here every byte is in the ledger or in the bundles."""
    missing: str
    """What is wrong with what comes next; empty where every byte is there."""


def kept_up_to(files: LogFiles, tree: Frontier, signed: Checkpoint) -> Kept:
    """How far a ledger could be refilled. BlobError."""
    rest = Frontier(tree.size, tree.peaks)
    try:
        for events in kept_events(files, rest, signed):
            _require_bodies(rest.size, events)
    except LogDamaged as damage:
        return Kept(rest.size, f"{damage.name}: {damage.what}")
    except AnotherHistory:
        return Kept(rest.size, f"the bundle of position {rest.size + 1}: not the events that were signed")
    return Kept(rest.size, "")


def _require_bodies(after: int, events: list[tuple[bytes, bytes]]) -> None:
    for position, (envelope, body) in enumerate(events, after + 1):
        try:
            whole = decode(envelope).body_sha256 == sha256(body).digest()
        except EnvelopeFault:
            whole = False
        if not whole:
            raise LogDamaged(f"the body of position {position}", "not the one that its envelope names")
