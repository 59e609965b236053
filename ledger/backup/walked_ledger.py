"""Walks the events of a backup before they are put anywhere: chains, bodies, columns, head; and how the tree grew."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import BinaryIO

from typing_extensions import override

from ledger.backup.binary_rows import BinaryRow, begin_rows, rows_on
from ledger.backup.faults import BadBackup
from ledger.backup.held_backup import HeldBackup
from ledger.backup.manifest import Ledger, Table
from ledger.backup.walked_range import WalkedRange, event_row, ranges_of, walk_range, walked_rows
from ledger.store.statements import schema_of
from ledger.trust.chain import FaultKind
from ledger.trust.fault import EnvelopeFault
from ledger.trust.glance import Glance, glance
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import EMPTY_ROOT
from ledger.trust.range_walk import Progress, RangeJoin, no_progress
from ledger.trust.range_walk import Stood as StreamStood
from ledger.trust.root_watch import RootWatch
from ledger.trust.side_by_side import RANGE_EVENTS, side_by_side
from ledger.trust.verify import Copies, Fault, Row, RowFault


@dataclass(frozen=True, slots=True)
class Stood:
    """The tree after one event."""

    root: bytes
    leaf: bytes
    """Hash of the last leaf; empty for the empty tree."""


@dataclass(frozen=True, slots=True)
class Walking:
    """How the events of a backup are walked."""

    since: Callable[[Ledger], int] = lambda _: 0
    """The position up to which a ledger was verified before, of which somebody has the signed root: these events are
    hashed and must lead to it (`published.other_history`), their chains are not walked."""
    processes: int = 1
    range_events: int = RANGE_EVENTS
    progress: Callable[[Ledger], Progress] = lambda _: no_progress
    """Who is told how far a ledger's events have come."""


@dataclass(frozen=True, slots=True)
class WalkedLedger:
    """A ledger of a backup that holds together."""

    ledger: Ledger
    at: dict[int, Stood] = field(default_factory=dict[int, Stood])
    """Where the tree stood at the sizes that were asked for."""
    sealed: set[tuple[str, bytes]] = field(default_factory=set[tuple[str, bytes]])
    """Origin and stream of every record whose bodies are sealed, of those that were walked."""


def walked_ledger(
    held: HeldBackup, ledger: Ledger, sizes: Collection[int], walking: Walking | None = None
) -> WalkedLedger:
    """The ledger, with the tree at these sizes. BadBackup names the first event that does not hold."""
    walking = walking or Walking()
    table = held.rows(schema_of(ledger.hospital), "events")
    tree = _TreeAt(sizes)
    join, found, progress = RangeJoin(tree), WalkedLedger(ledger, tree.at), walking.progress(ledger)
    with held.open(table.file) as file:
        begin_rows(file, table)
        fault = _earlier(join, islice(rows_on(file, table), walking.since(ledger)), table)
        with closing(_ranges(held, table, file, join.position, ledger.head_position, walking)) as ranges:
            while fault is None and (each := next(ranges, None)) is not None:
                found.sealed.update(each.sealed)
                fault = join.take(each.found)
                progress(join.position, ledger.head_position)
    if fault:
        raise BadBackup([f"{table.file}: {fault}"])
    _require_head(join, ledger, table.file)
    return found


def _ranges(
    held: HeldBackup, table: Table, file: BinaryIO, after: int, head: int, walking: Walking
) -> Generator[WalkedRange, None, None]:
    """What follows a position, range by range; side by side where there is more than one range and process."""
    processes = min(walking.processes, -(-(head - after) // walking.range_events))
    if processes > 1:
        ranges = ranges_of(held.folder, table, file, after, walking.range_events)
        with closing(side_by_side(walk_range, ranges, processes)) as walked:
            for each in walked:
                yield each.result()
        return
    rows = rows_on(file, table)
    while True:
        each = walked_rows(table, after, islice(rows, walking.range_events))
        yield each
        if each.found.last_position < after + walking.range_events:
            return
        after = each.found.last_position


def _earlier(join: RangeJoin, rows: Iterator[BinaryRow], table: Table) -> Fault | None:
    """Where the streams stood after rows that were verified before, in another copy: of this one every byte is hashed,
    and led to the root that was signed; that these chains hold is known.
    """
    streams: dict[bytes, StreamStood] = {}
    leaves: list[bytes] = []
    origin = ""
    for values in rows:
        row = event_row(values, table.file)
        copies = row.copies
        if copies is None or row.position != len(leaves) + 1:
            return Fault(RowFault.POSITION, len(leaves) + 1, b"", 0)
        found = _hashed(row, copies)
        if isinstance(found, Fault):
            return found
        origin, before = found.origin, streams.get(copies.stream_id)
        first = before.first_position if before else row.position
        stood = StreamStood(copies.version, copies.leaf_hash, copies.recorded_at, first, row.position)
        streams[copies.stream_id] = stood
        leaves.append(copies.leaf_hash)
    return join.known(streams, leaves, origin)


def _hashed(row: Row, copies: Copies) -> Glance | Fault:
    """What the envelope says, where columns, leaf hash and body are those of it."""
    try:
        seen = glance(row.envelope)
    except EnvelopeFault:
        return Fault(FaultKind.ENVELOPE, row.position, copies.stream_id, copies.version)
    if copies != (seen.stream_id, seen.version, seen.type, seen.recorded_at, leaf_hash(row.envelope)):
        return Fault(RowFault.COLUMN, row.position, seen.stream_id, seen.version)
    if sha256(row.body).digest() != seen.body_sha256:
        return Fault(FaultKind.BODY, row.position, seen.stream_id, seen.version)
    return seen


def _require_head(join: RangeJoin, ledger: Ledger, file: str) -> None:
    if (join.position, join.leaf.hex()) != (ledger.head_position, ledger.head_leaf):
        raise BadBackup([f"{file}: ends at position {join.position}, the manifest says {ledger.head_position}"])
    if (origin := join.summary().origin) and origin != ledger.origin:
        raise BadBackup([f"{file}: of another origin than the manifest says"])


class _TreeAt(RootWatch):
    """Notes where the tree stood at sizes that somebody asks for."""

    def __init__(self, sizes: Collection[int]) -> None:
        super().__init__()
        self.at = {0: Stood(EMPTY_ROOT, b"")}
        self._asked = sorted({*sizes} - {0}, reverse=True)

    @override
    def take(self, leaves: Sequence[bytes]) -> Fault | None:
        begin = 0
        while self._asked and self._asked[-1] <= self.size + len(leaves) - begin:
            size = self._asked.pop()
            end = begin + size - self.size
            super().take(leaves[begin:end])
            self.at[size], begin = Stood(self.root(), leaves[end - 1]), end
        return super().take(leaves[begin:])
