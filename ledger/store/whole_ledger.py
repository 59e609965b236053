"""A hospital's ledger as PostgreSQL holds it, checked whole: events, the columns beside them, stream heads, head."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor, IsolationLevel

from ledger.store.errors import StoreUnavailable, UnknownHospital
from ledger.store.reading import PAGE_BYTES_MAX, ROWS_MAX, LedgerHead, StoredRow, StreamHead
from ledger.store.statements import statements
from ledger.trust.verify import Copies, Fault, LedgerWalk, Row, RowFault, Summary

_Connection = AsyncConnection[tuple[Any, ...]]


async def registered_hospitals(url: str) -> list[str]:
    """The hospitals of the registry whose schema is there. StoreUnavailable where PostgreSQL cannot be asked."""
    try:
        async with await AsyncConnection.connect(url, cursor_factory=AsyncRawCursor, connect_timeout=5) as connection:
            rows = await (await connection.execute(statements("reading")["list_hospitals"])).fetchall()
    except psycopg.OperationalError as error:
        raise StoreUnavailable(error.sqlstate) from error
    return [hospital for hospital, _, _, _, state, *_ in rows if state != "adding"]


async def verify_stored(url: str, hospital: str) -> Fault | Summary:
    """The first fault of a ledger, or what was checked, all of it in one snapshot: appends may go on meanwhile.

    Raises UnknownHospital; StoreUnavailable where PostgreSQL cannot be asked.
    """
    try:
        async with await AsyncConnection.connect(url, cursor_factory=AsyncRawCursor, connect_timeout=5) as connection:
            await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
            await connection.set_read_only(True)
            return await _verify(connection, hospital)
    except (psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedTable) as error:
        raise UnknownHospital(hospital) from error
    except psycopg.OperationalError as error:
        raise StoreUnavailable(error.sqlstate) from error


async def _verify(connection: _Connection, hospital: str) -> Fault | Summary:
    walk, stood = LedgerWalk(), dict[UUID, StreamHead]()
    head = LedgerHead(0, b"")
    async for row in _events(connection, hospital):
        if fault := walk.take(_with_copies(row)):
            return fault
        before = stood.get(row.stream_id)
        first = before.first_position if before else row.position
        stood[row.stream_id] = StreamHead(
            row.stream_id, "", row.version, row.leaf_hash, first, row.position, row.recorded_at
        )
        head = LedgerHead(row.position, row.leaf_hash)
    if await _kept_head(connection, hospital) != head:
        return Fault(RowFault.LEDGER_HEAD, head.position, b"", 0)
    return await _fault_of_streams(connection, hospital, stood) or walk.summary()


async def _events(connection: _Connection, hospital: str) -> AsyncGenerator[StoredRow]:
    statement, after = statements("reading", hospital)["read_positions"], 0
    while rows := await _rows(connection, statement, (after, ROWS_MAX, PAGE_BYTES_MAX)):
        for row in rows:
            yield StoredRow(*row)
        after = rows[-1][0]


def _with_copies(row: StoredRow) -> Row:
    copies = Copies(row.stream_id.bytes, row.version, row.type, row.recorded_at, row.leaf_hash)
    return Row(row.position, row.envelope, row.body, copies)


async def _kept_head(connection: _Connection, hospital: str) -> LedgerHead | None:
    rows = await _rows(connection, statements("reading", hospital)["head"], ())
    return LedgerHead(*rows[0]) if len(rows) == 1 else None


async def _fault_of_streams(connection: _Connection, hospital: str, stood: dict[UUID, StreamHead]) -> Fault | None:
    """The stream of the lowest position whose head is not what its events say, or that has no head or no events.

    The kind is left out: it stands beside the events alone, no envelope says it.
    """
    wrong: list[StreamHead] = []
    async for kept in _stream_heads(connection, hospital):
        expected = stood.pop(kept.stream_id, None)
        if expected is None or replace(kept, kind="") != expected:
            wrong.append(expected or kept)
    first = min((*wrong, *stood.values()), key=lambda head: head.last_position, default=None)
    if first is None:
        return None
    return Fault(RowFault.STREAM_HEAD, first.last_position, first.stream_id.bytes, first.version)


async def _stream_heads(connection: _Connection, hospital: str) -> AsyncGenerator[StreamHead]:
    statement, after = statements("reading", hospital)["stream_heads"], UUID(int=0)
    while rows := await _rows(connection, statement, (after, ROWS_MAX)):
        for row in rows:
            yield StreamHead(*row)
        after = rows[-1][0]


async def _rows(connection: _Connection, statement: bytes, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
    cursor = connection.cursor(binary=True)
    await cursor.execute(statement, parameters)
    return await cursor.fetchall()
