"""A table as the database's owner can change it: no trigger and no constraint but the primary key stands in the way."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier, Placeholder

Row = dict[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class OwnedTable:
    """Its rows as they were when it was taken over."""

    def __init__(self, url: str, schema: str, name: str) -> None:
        self._url = url
        self._table = Identifier(schema, name)
        with psycopg.connect(url) as connection:
            connection.execute(SQL("ALTER TABLE {} DISABLE TRIGGER ALL").format(self._table))
            named = f'"{schema}"."{name}"'
            guards = connection.execute(
                "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('c', 'u', 'f')",
                (named,),
            ).fetchall()
            for (guard,) in guards:
                drop = SQL("ALTER TABLE {} DROP CONSTRAINT {} CASCADE").format(self._table, Identifier(guard))
                connection.execute(drop)
            self.key = [
                str(column)
                for (column,) in connection.execute(
                    """SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
                    WHERE indrelid = %s::regclass AND indisprimary""",
                    (named,),
                ).fetchall()
            ]
        self.rows = self.read()

    def read(self) -> list[Row]:
        """The rows as they stand, in order of their key."""
        order = SQL(", ").join(map(Identifier, self.key)) if self.key else SQL("1")
        with psycopg.connect(self._url) as connection, connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(SQL("SELECT * FROM {} ORDER BY {}").format(self._table, order)).fetchall()

    @contextmanager
    def replaced(self, before: Sequence[Row], after: Sequence[Row]) -> Generator[None]:
        """Some rows for others while the block runs."""
        self._replace(before, after)
        try:
            yield
        finally:
            self._replace(after, before)

    def _replace(self, before: Sequence[Row], after: Sequence[Row]) -> None:
        with psycopg.connect(self._url) as connection:
            for row in before:
                where = SQL(" AND ").join(SQL("{} = {}").format(Identifier(k), Placeholder(k)) for k in self.key)
                connection.execute(SQL("DELETE FROM {} WHERE {}").format(self._table, where), row)
            for row in after:
                columns = SQL(", ").join(map(Identifier, row))
                values = SQL(", ").join(map(Placeholder, row))
                insert = SQL("INSERT INTO {} ({}) VALUES ({})").format(self._table, columns, values)
                connection.execute(insert, row)


@contextmanager
def all_replaced(changed: Mapping[OwnedTable, tuple[Sequence[Row], Sequence[Row]]]) -> Generator[None]:
    """The same in several tables at once."""
    with ExitStack() as stack:
        for table, (before, after) in changed.items():
            stack.enter_context(table.replaced(before, after))
        yield


def to_bytes(value: Any) -> bytes:
    """The bytes of a value, in which bits are flipped; empty for NULL."""
    match value:
        case bytes():
            return value
        case UUID():
            return value.bytes
        case bool():
            return bytes([value])
        case int():
            return value.to_bytes(_width(value), "big", signed=True)
        case str():
            return value.encode()
        case datetime():
            return to_bytes(_microseconds(value))
        case _:
            return b""


def from_bytes(data: bytes, like: Any) -> Any:
    """A value of the same kind; what is cut is filled up with zeros where the kind has a fixed length."""
    match like:
        case UUID():
            return UUID(bytes=data.ljust(16, b"\0")[:16])
        case bool():
            return like if data == to_bytes(like) else not like
        case int():
            width = _width(like)
            return int.from_bytes(data.ljust(width, b"\0")[:width], "big", signed=True)
        case str():
            return data.decode("utf-8", "replace").replace("\0", "?")
        case datetime():
            return _EPOCH + timedelta(microseconds=from_bytes(data, _microseconds(like)) % 10**15)
        case _:
            return data


def _width(value: int) -> int:
    """Bytes of the least column that holds it: with a bit of these flipped it still fits."""
    return next(width for width in (2, 4, 8) if -(1 << 8 * width - 1) <= value < 1 << 8 * width - 1)


def _microseconds(value: datetime) -> int:
    return (value - _EPOCH) // timedelta(microseconds=1)
