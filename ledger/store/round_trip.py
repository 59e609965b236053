"""Statements on a borrowed connection in as few round trips as there are answers to wait for.

psycopg's cursors cost about 0.2 ms of client CPU a call, more than the whole append may take. Here libpq is driven
through `psycopg.pq`: parameters and results stay in PostgreSQL's binary form.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

from ledger.store.connections import Connection, Row

PREPARED_MAX = 200
_BINARY = 1

Call = tuple[bytes, Sequence[bytes | None]]
"""A statement and its parameters in binary form."""


async def call(connection: Connection, statement: bytes, parameters: Sequence[bytes | None]) -> PGresult:
    """One statement, prepared on first use; its rows in binary form. psycopg.Error as psycopg itself raises it."""
    (name,) = await _names(connection, [statement])
    pgconn = connection.pgconn
    pgconn.send_query_prepared(name, parameters, [_BINARY] * len(parameters), result_format=_BINARY)
    return (await _results(pgconn))[-1]


async def rows(connection: Connection, statement: bytes, parameters: Sequence[bytes | None]) -> list[Row]:
    """The rows of one statement, as Python's values."""
    loading = Transformer(connection)
    result = await call(connection, statement, parameters)
    loading.set_pgresult(result)
    return loading.load_rows(0, result.ntuples, tuple)


async def call_together(connection: Connection, calls: Sequence[Call]) -> list[PGresult]:
    """Several statements in one round trip; after one that fails the rest is not executed."""
    names = await _names(connection, [statement for statement, _ in calls])
    pgconn = connection.pgconn
    pgconn.enter_pipeline_mode()
    try:
        for name, (_, parameters) in zip(names, calls, strict=True):
            pgconn.send_query_prepared(name, parameters, [_BINARY] * len(parameters), result_format=_BINARY)
        pgconn.pipeline_sync()
        results = await _pipelined_results(pgconn)
    finally:
        # Refused while results are unread: the pool closes a connection that is still in pipeline mode.
        with suppress(psycopg.OperationalError):
            pgconn.exit_pipeline_mode()
    _raise_first_error(pgconn, results)
    return results


async def call_plain(connection: Connection, statement: bytes) -> None:
    """A statement without parameters, not prepared: it works in a transaction that has failed, too."""
    connection.pgconn.send_query(statement)
    await _results(connection.pgconn)


async def copy_in(connection: Connection, statement: bytes, rows: bytes) -> None:
    """A COPY FROM STDIN with everything that it takes in."""
    pgconn = connection.pgconn
    pgconn.send_query(statement)
    await _results(pgconn)
    while pgconn.put_copy_data(rows) == 0:
        await _flush(pgconn)
    while pgconn.put_copy_end() == 0:
        await _flush(pgconn)
    await _results(pgconn)


async def _names(connection: Connection, wanted: Sequence[bytes]) -> list[bytes]:
    """The names of statements, prepared where they are not yet. Whatever was used longest ago makes room.

    All that is wanted counts as used before the first is prepared, so no statement of this call makes room for another.
    """
    prepared = connection.prepared
    for statement in wanted:
        if statement in prepared:
            prepared[statement] = prepared.pop(statement)
    for statement in wanted:
        if statement not in prepared:
            await _prepare(connection, statement)
    return [prepared[statement] for statement in wanted]


async def _prepare(connection: Connection, statement: bytes) -> None:
    pgconn = connection.pgconn
    while len(connection.prepared) >= PREPARED_MAX:
        oldest = next(iter(connection.prepared))
        pgconn.send_query(b"DEALLOCATE " + connection.prepared.pop(oldest))
        await _results(pgconn)
    connection.prepared_count += 1
    name = b"ledger_%d" % connection.prepared_count
    pgconn.send_prepare(name, statement)
    await _results(pgconn)
    connection.prepared[statement] = name


async def _results(pgconn: PGconn) -> list[PGresult]:
    """The results of what was sent, up to its end or up to where the server waits for COPY rows."""
    await _flush(pgconn)
    found: list[PGresult] = []
    while (result := await _next_result(pgconn)) is not None:
        found.append(result)
        if result.status == ExecStatus.COPY_IN:
            break
    _raise_first_error(pgconn, found)
    return found


async def _pipelined_results(pgconn: PGconn) -> list[PGresult]:
    await _flush(pgconn)
    found: list[PGresult] = []
    while (result := await _next_result(pgconn)) is None or result.status != ExecStatus.PIPELINE_SYNC:
        if result is not None:
            found.append(result)
        elif pgconn.status == pq.ConnStatus.BAD:
            raise psycopg.OperationalError("the connection is lost")
    return found


async def _next_result(pgconn: PGconn) -> PGresult | None:
    if pgconn.is_busy():
        await _wait_for_input(pgconn)
    return pgconn.get_result()


async def _wait_for_input(pgconn: PGconn) -> None:
    loop = asyncio.get_running_loop()
    arrived = asyncio.Event()
    descriptor = pgconn.socket
    loop.add_reader(descriptor, arrived.set)
    try:
        while pgconn.is_busy():
            await arrived.wait()
            arrived.clear()
            pgconn.consume_input()
    finally:
        loop.remove_reader(descriptor)


async def _flush(pgconn: PGconn) -> None:
    if not pgconn.flush():
        return
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    descriptor = pgconn.socket
    loop.add_writer(descriptor, ready.set)
    loop.add_reader(descriptor, ready.set)
    try:
        while pgconn.flush():
            await ready.wait()
            ready.clear()
            pgconn.consume_input()
    finally:
        loop.remove_writer(descriptor)
        loop.remove_reader(descriptor)


def _raise_first_error(pgconn: PGconn, results: Sequence[PGresult]) -> None:
    for result in results:
        if result.status in (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE):
            raise psycopg.errors.error_from_result(result)
    if pgconn.status == pq.ConnStatus.BAD:
        raise psycopg.OperationalError("the connection is lost")
