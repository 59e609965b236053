"""Checks a whole log from its files: the root rebuilt from the entries, every tile compared, every body re-hashed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ledger.log.log_files import seen_path
from ledger.log.seen_heads import SeenHeads
from ledger.trust.bundle import decode_bodies, decode_entries
from ledger.trust.chain import FaultKind
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.envelope import decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.format_fault import BundleFault, FormatFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.lineage import is_at_or_after
from ledger.trust.merkle import HASH_BYTES
from ledger.trust.note import parse_note
from ledger.trust.note_key import VerifierKey
from ledger.trust.policy import Witnessed
from ledger.trust.range_walk import Progress, no_progress
from ledger.trust.root_watch import RootWatch
from ledger.trust.signed_note import check_signed
from ledger.trust.tile import TILE_WIDTH, BundleId, TileId, new_bundles
from ledger.trust.tile_growth import Tile, TileGrowth
from ledger.trust.verify import Fault, LedgerWalk, Row

Read = Callable[[str], bytes | None]
"""From a path of the log (`checkpoint`, `tile/0/000`, ...) to its bytes; None where there are none."""


class LogFault(Exception):
    """The log does not hold:"""

    def __init__(self, path: str, what: str, position: int = 0, stream_id: bytes = b"") -> None:
        """`what` says kind, position and record where the file has them."""
        super().__init__(f"{self.__doc__} {path}: {what}")
        self.path = path
        self.what = what
        self.position = position
        """0 where the file is of no position."""
        self.stream_id = stream_id


@dataclass(frozen=True, slots=True)
class LogChecked:
    """What was checked and holds."""

    checkpoint: Checkpoint
    tiles: int
    bodies: int
    """Bodies re-hashed; fewer than leaves where the reader asked for none."""


def check_log(
    read: Read,
    key: VerifierKey,
    *,
    note: str = "checkpoint",
    bodies: bool = True,
    remembered: Iterable[Witnessed] = (),
    seen: Iterable[Checkpoint] = (),
    progress: Progress = no_progress,
) -> LogChecked:
    """Reads every file that the log of its signed checkpoint must have. Raises LogFault for the first that is wrong.

    With the bodies every chain is walked too, and what is wrong is named as `ledger verify` names it in a ledger.
    `seen`: heads that the log's own folder keeps (`LogFiles.seen`); those above its size are compared with nothing.
    Says that the files are the log that `key` signed, whole; not that the key's owner showed everybody the same, nor,
    without heads that somebody remembers, that the log has not been put back to an earlier one.
    """
    checkpoint = _signed(read, key, note)
    growth, watch, walk = TileGrowth(), RootWatch(remembered), LedgerWalk(digesting=False)
    tiles, entries, shown = 0, list[bytes](), SeenHeads(seen)
    for bundle in new_bundles(0, checkpoint.size):
        entries = _entries(read, bundle)
        leaves = [leaf_hash(each) for each in entries]
        if bodies:
            _check_bodies(read, bundle, entries, walk, checkpoint.origin)
        if shown.within(growth.size, growth.size + len(leaves)):
            _compare_seen(shown.first_differing(growth.frontier(), leaves))
        for tile in growth.extend(leaves):
            _compare(read, tile, entries)
            tiles += 1
        _compare_head(watch.take(leaves) if remembered else None, note)
        progress(growth.size, checkpoint.size)
    for tile in growth.edge():
        _compare(read, tile, entries)
        tiles += 1
    if growth.root() != checkpoint.root:
        raise LogFault(note, "the entries lead to another root")
    _compare_head(watch.end(), note)
    return LogChecked(checkpoint, tiles, walk.position)


def _compare_head(fault: Fault | None, note: str) -> None:
    if fault:
        raise LogFault(note, f"not the log of a remembered head: {fault}")


def _compare_seen(size: int) -> None:
    if size:
        raise LogFault(seen_path(size), "the entries lead to another root")


def _signed(read: Read, key: VerifierKey, path: str) -> Checkpoint:
    data = read(path)
    if data is None:
        raise LogFault(path, "missing")
    try:
        note = parse_note(data)
        check_signed(note, [key])
        checkpoint = parse_checkpoint(note.text)
    except FormatFault as fault:
        raise LogFault(path, "; ".join(fault.faults)) from None
    if checkpoint.origin != key.name:
        raise LogFault(path, "the origin is not the name of the key")
    return checkpoint


def _entries(read: Read, bundle: BundleId) -> list[bytes]:
    data, held = _either(read, bundle.entries_path, BundleId(bundle.index).entries_path, bundle)
    try:
        return decode_entries(held, data)[: bundle.width]
    except BundleFault as fault:
        raise _bundle_fault(bundle.entries_path, bundle, fault) from None


def _check_bodies(read: Read, bundle: BundleId, entries: list[bytes], walk: LedgerWalk, origin: str) -> None:
    data, held = _either(read, bundle.bodies_path, BundleId(bundle.index).bodies_path, bundle)
    try:
        bodies = decode_bodies(held, data)
    except BundleFault as fault:
        raise _bundle_fault(bundle.bodies_path, bundle, fault) from None
    for position, (entry, body) in enumerate(zip(entries, bodies, strict=False), bundle.first_leaf + 1):
        if fault := walk.take(Row(position, entry, body)):
            path = bundle.bodies_path if fault.kind is FaultKind.BODY else bundle.entries_path
            raise LogFault(path, str(fault), fault.position, fault.stream_id)
        if not is_at_or_after(origin, walk.origin):
            raise LogFault(bundle.entries_path, f"ORIGIN at position {position}: of another log", position)


def _bundle_fault(path: str, bundle: BundleId, fault: BundleFault) -> LogFault:
    first = bundle.first_leaf + 1
    what = f"BUNDLE at positions {first} to {first + bundle.width - 1}: {'; '.join(fault.faults)}"
    return LogFault(path, what, first)


def _compare(read: Read, tile: Tile, entries: list[bytes]) -> None:
    """`entries`: those of the last bundle, whose hashes a tile of level 0 holds."""
    data = read(tile.id.path)
    if data is None and not tile.id.is_full:
        full = read(TileId(tile.id.level, tile.id.index).path)
        data = None if full is None else full[: len(tile.data)]
    if data == tile.data:
        return
    place, said = _place(tile, data or b"", entries), "missing" if data is None else "not what the entries lead to"
    raise LogFault(tile.id.path, f"TILE {place.said}: {said}", place.position, place.stream_id)


class _Place(NamedTuple):
    said: str
    position: int
    stream_id: bytes = b""


def _place(tile: Tile, data: bytes, entries: list[bytes]) -> _Place:
    """The first leaf below the first hash that differs; of one leaf alone, its record too."""
    same = next(
        (at for at in range(0, len(tile.data), HASH_BYTES) if data[at:][:HASH_BYTES] != tile.data[at:][:HASH_BYTES]), 0
    )
    below: int = TILE_WIDTH**tile.id.level
    first = (tile.id.index * TILE_WIDTH + same // HASH_BYTES) * below + 1
    if below > 1:
        return _Place(f"over positions {first} to {first + below - 1}", first)
    try:
        stream_id = decode(entries[(first - 1) % TILE_WIDTH]).stream_id
    except EnvelopeFault:
        return _Place(f"at position {first}, record unknown", first)
    return _Place(f"at position {first}, record {stream_id.hex()}", first, stream_id)


def _either(read: Read, path: str, full: str, bundle: BundleId) -> tuple[bytes, BundleId]:
    """A bundle, or the full one of its place: a log may drop a partial one then."""
    data, held = read(path), bundle
    if data is None and bundle.width < TILE_WIDTH:
        data, held = read(full), BundleId(bundle.index)
    if data is None:
        raise LogFault(path, "missing")
    return data, held
