"""One range of a backup's events, read from its file and walked, be it by a process of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from ledger.backup.binary_rows import BinaryRow, pass_over, rows_on
from ledger.backup.faults import BadBackup
from ledger.backup.held_backup import opened_file
from ledger.backup.manifest import Table
from ledger.trust.envelope import decode
from ledger.trust.lineage import first_of
from ledger.trust.range_walk import RangeFound, RangeWalk
from ledger.trust.usual_rows import PAGE_ROWS
from ledger.trust.verify import Copies, Row

_FIRST_VERSION = 1


@dataclass(frozen=True, slots=True)
class RangeOfFile:
    """So many rows from a byte of a table's file on."""

    folder: Path
    table: Table
    after: int
    """The position before the first of them."""
    offset: int
    rows: int


@dataclass(frozen=True, slots=True)
class WalkedRange:
    """What a range holds."""

    found: RangeFound
    sealed: frozenset[tuple[str, bytes]]
    """First origin and stream of every record that begins here and whose bodies are sealed."""


def walk_range(asked: RangeOfFile) -> WalkedRange:
    """What the range holds. BadBackup for bytes that are no rows of events."""
    with opened_file(asked.folder, asked.table.file) as file:
        file.seek(asked.offset)
        return walked_rows(asked.table, asked.after, islice(rows_on(file, asked.table), asked.rows))


def ranges_of(folder: Path, table: Table, file: BinaryIO, after: int, rows_each: int) -> Iterator[RangeOfFile]:
    """The ranges from where a table's file stands on, by the lengths of their rows alone. BadBackup as `walk_range`."""
    passed = rows_each
    while passed == rows_each:
        begin = file.tell()
        passed = pass_over(file, table, rows_each)
        yield RangeOfFile(folder, table, after, begin, rows_each)
        after += passed


def walked_rows(table: Table, after: int, rows: Iterable[BinaryRow]) -> WalkedRange:
    """What rows hold that follow a position. BadBackup as `walk_range`."""
    walk, sealed, rest = RangeWalk(after), set[tuple[str, bytes]](), iter(rows)
    while page := [event_row(values, table.file) for values in islice(rest, PAGE_ROWS)]:
        if walk.take_all(page):
            break
        sealed.update(found for row in page if (found := _sealed_record(row)))
    return WalkedRange(walk.found(), frozenset(sealed))


def _sealed_record(row: Row) -> tuple[str, bytes] | None:
    """Under which origin the key of a sealed record is kept, where this is its first row, which holds."""
    if row.copies is None or row.copies.version != _FIRST_VERSION:
        return None
    envelope = decode(row.envelope)
    return (first_of(envelope.origin), envelope.stream_id) if envelope.key_id else None


def event_row(values: BinaryRow, file: str) -> Row:
    """A row of the table of events. BadBackup for one of another table."""
    try:
        taken = {name: values[name] or b"" for name in _COLUMNS}
        version = int.from_bytes(taken["version"], "big")
        kind, recorded_at = taken["type"].decode(), int.from_bytes(taken["recorded_at"], "big")
    except (KeyError, UnicodeDecodeError):
        raise BadBackup([f"{file}: not rows of events"]) from None
    copies = Copies(taken["stream_id"], version, kind, recorded_at, taken["leaf_hash"])
    return Row(int.from_bytes(taken["position"], "big"), taken["envelope"], taken["body"], copies)


_COLUMNS = ("position", "stream_id", "version", "type", "recorded_at", "envelope", "body", "leaf_hash")
