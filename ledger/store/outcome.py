"""What became of a group whose connection was lost: the store is asked, nothing is appended again."""

import asyncio
from asyncio import timeout
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

import psycopg

from ledger.store.append import Append, CommandIdReused, Repeated, Verdict
from ledger.store.connections import Connection, ConnectionPool
from ledger.store.errors import OutcomeUnknown, StoreUnavailable
from ledger.store.statements import statements

ATTEMPTS_MAX = 8
SECONDS_MAX = 30.0
"""For all attempts together: a server that holds its connections but answers nothing reports no error by itself."""

_FIRST_PAUSE_S = 0.05
_END_BACKEND_MS = 1_000

Outcome = Verdict | Exception


class LostBackend:
    """The server process that was committing when its connection was lost."""

    def __init__(self, connection: Connection) -> None:
        self.process_id = connection.info.backend_pid
        self.started: datetime = connection.backend_start


async def resolve(
    pool: ConnectionPool, hospital: str, backend: LostBackend | None, appends: Sequence[Append]
) -> list[Outcome]:
    """For each command: Repeated as it was stored; StoreUnavailable where it was surely not stored.

    OutcomeUnknown where the store could not be asked in ATTEMPTS_MAX attempts with growing pauses (about 13 s, at most
    SECONDS_MAX), or the old backend did not end in that time: sitting in the kernel, it may still commit.
    """
    with suppress(TimeoutError):
        async with timeout(SECONDS_MAX):
            if (outcomes := await _ask(pool, hospital, backend, appends)) is not None:
                return outcomes
    return [OutcomeUnknown(append.command_id) for append in appends]


async def _ask(
    pool: ConnectionPool, hospital: str, backend: LostBackend | None, appends: Sequence[Append]
) -> list[Outcome] | None:
    pause_s = _FIRST_PAUSE_S
    for _ in range(ATTEMPTS_MAX):
        with suppress(StoreUnavailable, psycopg.OperationalError):
            async with pool.borrow() as connection:
                await _end(connection, backend)
                return [await _look_up(connection, hospital, append) for append in appends]
        await asyncio.sleep(pause_s)
        pause_s *= 2
    return None


async def _end(connection: Connection, backend: LostBackend | None) -> None:
    """Only when the old backend is gone is "not there" an answer. StoreUnavailable while it is still there."""
    if backend is None:
        return
    parameters = (backend.process_id, backend.started, _END_BACKEND_MS)
    ended = await (await connection.execute(statements("append")["end_backend"], parameters)).fetchone()
    if ended == (False,):
        raise StoreUnavailable("the backend of the lost connection does not end")


async def _look_up(connection: Connection, hospital: str, append: Append) -> Outcome:
    cursor = await connection.execute(statements("append", hospital)["find_command"], (append.command_id,))
    row = await cursor.fetchone()
    if row is None:
        return StoreUnavailable("the connection was lost before the commit")
    content, _, stream_id, version, first, last, result = row
    if content != append.content:
        return CommandIdReused()
    # By this append, or by an earlier one under the same id whose events were other bytes: what is stored counts.
    return Repeated(first, last, stream_id, version, result)
