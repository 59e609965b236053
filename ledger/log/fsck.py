"""Checks a whole log from its files: the root rebuilt from the entries, every tile compared, every body re-hashed."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import partial

from typing_extensions import override

from ledger.log.bundle_walk import RangeOfBundles, Source, WalkedBundles, bundle_at, named, walk_bundles
from ledger.log.log_fault import LogFault, Read, read_tile
from ledger.log.log_files import seen_path
from ledger.log.seen_heads import SeenHeads
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.format_fault import FormatFault
from ledger.trust.lineage import is_at_or_after
from ledger.trust.merkle import HASH_BYTES
from ledger.trust.note import parse_note
from ledger.trust.note_key import VerifierKey
from ledger.trust.policy import Witnessed
from ledger.trust.range_walk import Progress, RangeFound, RangeJoin, Stood, no_progress
from ledger.trust.root_watch import RootWatch
from ledger.trust.side_by_side import side_by_side
from ledger.trust.signed_note import check_signed
from ledger.trust.tile import TILE_WIDTH
from ledger.trust.tile_growth import Tile
from ledger.trust.verify import Fault, RowFault

RANGE_LEAVES = 80 * TILE_WIDTH
"""Leaves of one range: enough that a process is worth its handing over, little enough to be held."""


@dataclass(frozen=True, slots=True)
class LogChecked:
    """What was checked and holds."""

    checkpoint: Checkpoint
    tiles: int
    bodies: int
    """Bodies re-hashed; fewer than leaves where the reader asked for none, or for those after a checkpoint alone."""


@dataclass(frozen=True, slots=True)
class LogWalking:
    """How a log's files are walked."""

    bodies: bool = True
    since: int = 0
    """Leaves up to which these very files were verified before, of which somebody has the signed root: up to there
    entries and tiles are read, which must lead to it; bodies are not read and chains not walked."""
    source: Source | None = None
    """How another process opens the files; needed for more than one."""
    processes: int = 1
    range_leaves: int = RANGE_LEAVES
    """A multiple of 256."""


_WHOLE = LogWalking()


def check_log(
    read: Read,
    key: VerifierKey,
    *,
    note: str = "checkpoint",
    walking: LogWalking = _WHOLE,
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
    tree = _Tree(read, note, checkpoint.size, remembered, seen)
    known = min(walking.since, checkpoint.size) // TILE_WIDTH * TILE_WIDTH if walking.bodies else checkpoint.size
    join = _Joining(tree, checkpoint)
    with closing(_walked(read, walking, known, checkpoint.size)) as ranges:
        for each in ranges:
            join.take(each)
            progress(join.leaves, checkpoint.size)
    tree.compare_edge()
    if tree.root() != checkpoint.root:
        raise LogFault(note, "the entries lead to another root")
    tree.require(tree.end())
    return LogChecked(checkpoint, tree.tiles, checkpoint.size - known)


def _walked(read: Read, walking: LogWalking, known: int, size: int) -> Generator[WalkedBundles, None, None]:
    """What the ranges hold, in order: those of entries alone up to `known`, with bodies above it."""
    source = walking.source or partial(nullcontext[Read], read)
    ranges = [*_ranges(source, 0, known, walking.range_leaves, bodies=False)]
    ranges += _ranges(source, known, size, walking.range_leaves, bodies=True)
    processes = min(walking.processes, len(ranges))
    if walking.source is None or processes <= 1:
        yield from map(walk_bundles, ranges)
        return
    with closing(side_by_side(walk_bundles, ranges, processes)) as futures:
        yield from map(Future[WalkedBundles].result, futures)


def _ranges(source: Source, begin: int, end: int, leaves: int, *, bodies: bool) -> Iterator[RangeOfBundles]:
    for each in range(begin, end, leaves):
        yield RangeOfBundles(source, each, min(each + leaves, end), bodies)


class _Joining:
    """Takes the ranges in order: first those of entries alone, whose streams the others go on from."""

    def __init__(self, tree: _Tree, checkpoint: Checkpoint) -> None:
        self.leaves = 0
        self._tree = tree
        self._origin, self._size = checkpoint.origin, checkpoint.size
        self._join = RangeJoin(tree)
        self._streams: dict[bytes, Stood] = {}

    def take(self, walked: WalkedBundles) -> None:
        """Raises LogFault for the first fault up to the end of this range."""
        if walked.found is None:
            self._streams |= walked.streams
            self._tree.require(self._join.known(self._streams, walked.leaves, walked.origin))
        else:
            self._take_found(walked.found, walked.fault)
        if walked.fault:
            raise walked.fault
        self.leaves += len(walked.leaves)

    def _take_found(self, found: RangeFound, named_already: LogFault | None) -> None:
        strange = _other_origin(found, self._origin)
        fault = self._join.take(found)
        if strange and (fault is None or strange <= fault.position):
            path = bundle_at(strange, self._size).entries_path
            raise LogFault(path, f"ORIGIN at position {strange}: of another log", strange)
        if named_already is None or fault != found.fault:
            self._tree.require(fault)


def _other_origin(found: RangeFound, origin: str) -> int:
    """The first position at which a range is of a log that the signed one does not go on from; 0 for none."""
    origins = [(each.position, each.successor) for each in found.successions]
    if found.first_origin:
        origins.insert(0, (found.first_position, found.first_origin))
    return next((position for position, each in origins if not is_at_or_after(origin, each)), 0)


class _Tree(RootWatch):
    """The tree that the entries lead to, held against tiles and heads."""

    def __init__(
        self, read: Read, note: str, leaves: int, remembered: Iterable[Witnessed], seen: Iterable[Checkpoint]
    ) -> None:
        super().__init__(remembered)
        self._leaves = leaves
        self.tiles = 0
        self._read = read
        self._note = note
        self._shown = SeenHeads(seen)

    @override
    def take(self, leaves: Sequence[bytes]) -> Fault | None:
        if self._shown.within(self.size, self.size + len(leaves)):
            size = self._shown.first_differing(self._growth.frontier(), leaves)
            if size:
                raise LogFault(seen_path(size), "the entries lead to another root")
        return super().take(leaves)

    @override
    def _grow(self, leaves: Sequence[bytes]) -> None:
        for tile in self._growth.extend(leaves):
            self._compare(tile)

    def compare_edge(self) -> None:
        """The partial tiles of the end."""
        for tile in self._growth.edge():
            self._compare(tile)

    def require(self, fault: Fault | None) -> None:
        """Raises LogFault for a fault of an event or of a head."""
        if fault is None:
            return
        if fault.kind in (RowFault.SIGNED_ROOT, RowFault.BEHIND, RowFault.AFTER_END):
            raise LogFault(self._note, f"not the log of a remembered head: {fault}")
        raise named(fault, self._leaves)

    def _compare(self, tile: Tile) -> None:
        """A tile above the leaf hashes, which were compared where their entries were read."""
        self.tiles += 1
        if tile.id.level == 0:
            return
        data = read_tile(self._read, tile.id, len(tile.data))
        if data == tile.data:
            return
        said = "missing" if data is None else "not what the entries lead to"
        below: int = TILE_WIDTH**tile.id.level
        hashes = len(tile.data) // HASH_BYTES
        first = (tile.id.index * TILE_WIDTH + _first_other(data or b"", tile.data, hashes)) * below + 1
        raise LogFault(tile.id.path, f"TILE over positions {first} to {first + below - 1}: {said}", first)


def _first_other(data: bytes, expected: bytes, hashes: int) -> int:
    """Which hash is the first that differs."""
    spans = (slice(at * HASH_BYTES, (at + 1) * HASH_BYTES) for at in range(hashes))
    return next((at for at, span in enumerate(spans) if data[span] != expected[span]), 0)


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
