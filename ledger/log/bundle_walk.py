"""One range of a log's bundles, read from its files and walked, be it by a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from ledger.log.log_fault import LogFault, Read, bundle_fault, read_bundle, read_tile
from ledger.trust.bundle import decode_bodies, decode_entries
from ledger.trust.chain import FaultKind
from ledger.trust.envelope import decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.format_fault import BundleFault
from ledger.trust.glance import glance
from ledger.trust.merkle import HASH_BYTES
from ledger.trust.range_walk import RangeFound, RangeWalk, Stood
from ledger.trust.tile import TILE_WIDTH, BundleId, TileId, new_bundles
from ledger.trust.usual_rows import leaf_hashes
from ledger.trust.verify import Fault, Row

Source = Callable[[], AbstractContextManager[Read]]
"""Opens the log's files, in whichever process."""


@dataclass(frozen=True, slots=True)
class RangeOfBundles:
    """The leaves from one to before another; both begin a bundle, but for the log's end."""

    source: Source
    begin: int
    end: int
    bodies: bool
    """Whether bodies are read too, and chains walked."""


@dataclass(slots=True)
class WalkedBundles:
    """What a range holds, up to the first fault inside it."""

    found: RangeFound | None = None
    """Where bodies were read."""
    leaves: list[bytes] = field(default_factory=list[bytes])
    """Leaf hashes of the bundles that hold; each full tile of them was compared."""
    streams: dict[bytes, Stood] = field(default_factory=dict[bytes, Stood])
    """Where each stream stands by the entries alone; where no bodies were read."""
    origin: str = ""
    """Of the last entry; where no bodies were read."""
    fault: LogFault | None = None


def walk_bundles(asked: RangeOfBundles) -> WalkedBundles:
    """What the range holds. Raises what its source raises where files cannot be read."""
    walked, walk = WalkedBundles(), RangeWalk(asked.begin)
    with asked.source() as read:
        try:
            for bundle in new_bundles(asked.begin, asked.end):
                entries = _entries(read, bundle)
                leaves = leaf_hashes(entries)
                if asked.bodies:
                    _walk_bodies(read, bundle, entries, walk, asked.end)
                else:
                    _note_streams(walked, bundle, entries, leaves, asked.end)
                _compare_tile(read, bundle, entries, leaves)
                walked.leaves += leaves
        except LogFault as fault:
            walked.fault = fault
    walked.found = walk.found() if asked.bodies else None
    return walked


def _entries(read: Read, bundle: BundleId) -> list[bytes]:
    data, held = read_bundle(read, bundle.entries_path, BundleId(bundle.index).entries_path, bundle)
    try:
        return decode_entries(held, data)[: bundle.width]
    except BundleFault as fault:
        raise bundle_fault(bundle.entries_path, bundle, fault) from None


def _walk_bodies(read: Read, bundle: BundleId, entries: list[bytes], walk: RangeWalk, end: int) -> None:
    data, held = read_bundle(read, bundle.bodies_path, BundleId(bundle.index).bodies_path, bundle)
    try:
        bodies = decode_bodies(held, data)
    except BundleFault as fault:
        raise bundle_fault(bundle.bodies_path, bundle, fault) from None
    places = enumerate(zip(entries, bodies, strict=False), bundle.first_leaf + 1)
    if fault := walk.take_all([Row(position, entry, body) for position, (entry, body) in places]):
        raise named(fault, end)


def _note_streams(
    walked: WalkedBundles, bundle: BundleId, entries: Sequence[bytes], leaves: Sequence[bytes], end: int
) -> None:
    for position, (entry, leaf) in enumerate(zip(entries, leaves, strict=True), bundle.first_leaf + 1):
        try:
            seen = glance(entry)
        except EnvelopeFault:
            raise named(Fault(FaultKind.ENVELOPE, position, b"", 0), end) from None
        walked.streams[seen.stream_id] = Stood(seen.version, leaf, seen.recorded_at, position, position)
        walked.origin = seen.origin


def named(fault: Fault, size: int) -> LogFault:
    """A fault of an event, by the file of a log of this size in which it lies."""
    bundle = bundle_at(fault.position, size)
    path = bundle.bodies_path if fault.kind is FaultKind.BODY else bundle.entries_path
    return LogFault(path, str(fault), fault.position, fault.stream_id)


def bundle_at(position: int, size: int) -> BundleId:
    """In which bundle of a log of this size an event lies."""
    index = (position - 1) // TILE_WIDTH
    return BundleId(index, min(TILE_WIDTH, size - index * TILE_WIDTH))


def _compare_tile(read: Read, bundle: BundleId, entries: Sequence[bytes], leaves: Sequence[bytes]) -> None:
    """The tile of leaf hashes; one that differs is named by its first wrong leaf."""
    tile, expected = TileId(0, bundle.index, bundle.width), b"".join(leaves)
    data = read_tile(read, tile, len(expected))
    if data == expected:
        return
    held = data or b""
    at = next((at for at, leaf in enumerate(leaves) if held[at * HASH_BYTES :][:HASH_BYTES] != leaf), 0)
    said = "missing" if data is None else "not what the entries lead to"
    position = bundle.first_leaf + at + 1
    try:
        stream_id = decode(entries[at]).stream_id
    except EnvelopeFault:
        stream_id = b""
    record = stream_id.hex() or "unknown"
    raise LogFault(tile.path, f"TILE at position {position}, record {record}: {said}", position, stream_id)
