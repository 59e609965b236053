"""Checks a whole log from its files: the root rebuilt from the entries, every tile compared, every body re-hashed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256

from ledger.trust.bundle import decode_bodies, decode_entries
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.envelope import decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.format_fault import BundleFault, FormatFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.lineage import is_at_or_after
from ledger.trust.note import parse_note
from ledger.trust.note_key import VerifierKey
from ledger.trust.policy import Witnessed
from ledger.trust.root_watch import RootWatch
from ledger.trust.signed_note import check_signed
from ledger.trust.tile import TILE_WIDTH, BundleId, TileId, new_bundles
from ledger.trust.tile_growth import Tile, TileGrowth
from ledger.trust.verify import Fault

Read = Callable[[str], bytes | None]
"""From a path of the log (`checkpoint`, `tile/0/000`, ...) to its bytes; None where there are none."""


class LogFault(Exception):
    """The log does not hold:"""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(f"{self.__doc__} {path}: {what}")
        self.path = path
        self.what = what


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
) -> LogChecked:
    """Reads every file that the log of its signed checkpoint must have. Raises LogFault for the first that is wrong.

    Says that the files are the log that `key` signed, whole; not that the key's owner showed everybody the same, nor,
    without heads that somebody remembers, that the log has not been put back to an earlier one.
    """
    checkpoint = _signed(read, key, note)
    growth, watch = TileGrowth(), RootWatch(remembered)
    tiles = bodies_checked = 0
    for bundle in new_bundles(0, checkpoint.size):
        entries = _entries(read, bundle)
        leaves = [leaf_hash(each) for each in entries]
        for tile in growth.extend(leaves):
            _compare(read, tile)
            tiles += 1
        if bodies:
            _check_bodies(read, bundle, entries, checkpoint.origin)
            bodies_checked += len(entries)
        _compare_head(watch.take(leaves) if remembered else None, note)
    for tile in growth.edge():
        _compare(read, tile)
        tiles += 1
    if growth.root() != checkpoint.root:
        raise LogFault(note, "the entries lead to another root")
    _compare_head(watch.end(), note)
    return LogChecked(checkpoint, tiles, bodies_checked)


def _compare_head(fault: Fault | None, note: str) -> None:
    if fault:
        raise LogFault(note, f"not the log of a remembered head: {fault}")


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
        raise LogFault(bundle.entries_path, "; ".join(fault.faults)) from None


def _check_bodies(read: Read, bundle: BundleId, entries: list[bytes], origin: str) -> None:
    data, held = _either(read, bundle.bodies_path, BundleId(bundle.index).bodies_path, bundle)
    try:
        bodies = decode_bodies(held, data)
    except BundleFault as fault:
        raise LogFault(bundle.bodies_path, "; ".join(fault.faults)) from None
    for position, (entry, body) in enumerate(zip(entries, bodies, strict=False), bundle.first_leaf + 1):
        try:
            envelope = decode(entry)
        except EnvelopeFault:
            raise LogFault(bundle.entries_path, f"position {position} is no envelope") from None
        if not is_at_or_after(origin, envelope.origin):
            raise LogFault(bundle.entries_path, f"position {position} is of another origin")
        if envelope.body_sha256 != sha256(body).digest():
            raise LogFault(bundle.bodies_path, f"position {position} has not the digest of its envelope")


def _compare(read: Read, tile: Tile) -> None:
    data = read(tile.id.path)
    if data is None and not tile.id.is_full:
        full = read(TileId(tile.id.level, tile.id.index).path)
        data = None if full is None else full[: len(tile.data)]
    if data is None:
        raise LogFault(tile.id.path, "missing")
    if data != tile.data:
        raise LogFault(tile.id.path, "not the hashes that the entries lead to")


def _either(read: Read, path: str, full: str, bundle: BundleId) -> tuple[bytes, BundleId]:
    """A bundle, or the full one of its place: a log may drop a partial one then."""
    data, held = read(path), bundle
    if data is None and bundle.width < TILE_WIDTH:
        data, held = read(full), BundleId(bundle.index)
    if data is None:
        raise LogFault(path, "missing")
    return data, held
