"""Rows in PostgreSQL's binary COPY format, read one by one: a backup is checked before a database sees it."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from os import SEEK_CUR
from typing import BinaryIO

from ledger.backup.faults import BadBackup
from ledger.backup.manifest import Table

_SIGNATURE = b"PGCOPY\n\xff\r\n\x00"
_COLUMNS = struct.Struct(">h")
_LENGTH = struct.Struct(">i")
_END = -1
_NULL = -1
_VALUE_BYTES_MAX = 1 << 30
"""As PostgreSQL has it."""

BinaryRow = Mapping[str, bytes | None]
"""Values by column; None for NULL."""


def binary_rows(file: BinaryIO, table: Table) -> Iterator[BinaryRow]:
    """Every row of a table's file. BadBackup for a file of another form, one that is cut short, or that goes on."""
    begin_rows(file, table)
    yield from rows_on(file, table)


def begin_rows(file: BinaryIO, table: Table) -> None:
    """Goes over what stands before the first row. As `binary_rows`."""
    if _exactly(file, len(_SIGNATURE), table) != _SIGNATURE:
        raise _bad(table, "not rows of PostgreSQL")
    _exactly(file, 4, table)  # flags, of which none is set in what PostgreSQL 15 to 18 write
    _exactly(file, _LENGTH.unpack(_exactly(file, 4, table))[0], table)


def rows_on(file: BinaryIO, table: Table) -> Iterator[BinaryRow]:
    """The rows from where the file stands, before one of them, to the last. As `binary_rows`."""
    while _has_row(file, table):
        yield {name: _value(file, table) for name in table.columns}


def pass_over(file: BinaryIO, table: Table, rows: int) -> int:
    """Goes over so many rows by their lengths alone; how many were there. As `binary_rows`."""
    for passed in range(rows):
        if not _has_row(file, table):
            return passed
        for _ in table.columns:
            (length,) = _LENGTH.unpack(_exactly(file, 4, table))
            if length != _NULL:
                file.seek(_possible(length, table), SEEK_CUR)
    return rows


def _has_row(file: BinaryIO, table: Table) -> bool:
    (count,) = _COLUMNS.unpack(_exactly(file, 2, table))
    if count == _END:
        if file.read(1):
            raise _bad(table, "bytes after the last row")
        return False
    if count != len(table.columns):
        raise _bad(table, f"a row of {count} columns, not {len(table.columns)}")
    return True


def _value(file: BinaryIO, table: Table) -> bytes | None:
    (length,) = _LENGTH.unpack(_exactly(file, 4, table))
    return None if length == _NULL else _exactly(file, length, table)


def _exactly(file: BinaryIO, count: int, table: Table) -> bytes:
    data = file.read(_possible(count, table))
    if len(data) != count:
        raise _bad(table, "cut short")
    return data


def _possible(length: int, table: Table) -> int:
    if not 0 <= length <= _VALUE_BYTES_MAX:
        raise _bad(table, "a value of an impossible length")
    return length


def _bad(table: Table, what: str) -> BadBackup:
    return BadBackup([f"{table.file}: {what}"])
