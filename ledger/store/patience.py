"""How long an append waits for PostgreSQL, and what it does about another process that stands in its way."""

from asyncio import timeout
from collections.abc import Awaitable, Callable, Sequence

import psycopg

from ledger.store.append import Append, Verdict
from ledger.store.connections import Connection
from ledger.store.flush import flush
from ledger.store.statements import statements

FLUSH_SECONDS_MAX = 25.0
"""Above what PostgreSQL itself allows a statement (`statement_timeout` in `connections`): it should answer first."""

_END_STALLED_MS = 1_000


Flush = Callable[[Connection, str, Sequence[Append]], Awaitable[list[Verdict]]]


async def flush_patiently(
    connection: Connection, hospital: str, appends: Sequence[Append], how: Flush = flush
) -> list[Verdict]:
    """Flushes; once more where the head was held by an append whose process had stopped, which is ended.

    psycopg.OperationalError as `flush`, also where no answer came in time: the connection is closed then.
    """
    try:
        return await _flush_in_time(connection, hospital, appends, how)
    except psycopg.errors.LockNotAvailable:
        if not await _end_stalled_copy(connection, hospital):
            raise
    return await _flush_in_time(connection, hospital, appends, how)


async def _flush_in_time(connection: Connection, hospital: str, appends: Sequence[Append], how: Flush) -> list[Verdict]:
    try:
        async with timeout(FLUSH_SECONDS_MAX):
            return await how(connection, hospital, appends)
    except TimeoutError:
        await connection.close()
        raise psycopg.OperationalError("PostgreSQL did not answer in time") from None


async def _end_stalled_copy(connection: Connection, hospital: str) -> bool:
    named = statements("append", hospital)
    parameters = (named["copy_events"].decode(), _END_STALLED_MS)
    cursor = await connection.execute(named["end_stalled_copy"], parameters)
    return (True,) in await cursor.fetchall()
