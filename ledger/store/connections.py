"""Bounded connections to one cluster; a hospital borrows one for a flush or a read.

Nothing runs while nobody borrows: no task, no timer. Connections are made when needed and kept for the next borrower.
"""

import select
from asyncio import Semaphore, timeout
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor, pq
from psycopg.conninfo import make_conninfo

from ledger.store.durability import check_durability
from ledger.store.errors import SlowDriver, StoreUnavailable
from ledger.store.statements import statements

CONNECTIONS_MAX = 8
_CONNECT_TIMEOUT_S = 5
_BORROW_TIMEOUT_S = 30.0
ROWS_TIMEOUT_S = 60.0
"""Above any `statement_timeout`: it ends only the wait for a server that stands still and so keeps no limit itself."""
_PREPARED_MAX = 200

# Plans of the append are made once, often while tables are still empty: a sequential scan chosen then would stay.
_PLANNING = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"

# A server process that stands still, or whose network is gone, must not keep a hospital's head from the others:
# PostgreSQL ends its transaction. A COPY that waits for its rows heeds no such limit; whoever waited in vain ends it
# (end_stalled_copy), so `lock_timeout` is above the first limit.
_LIMITS = (
    "-c idle_in_transaction_session_timeout=5s -c lock_timeout=7s -c statement_timeout=20s -c tcp_user_timeout=10s"
    " -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
)
WRITER_OPTIONS = f"{_PLANNING} {_LIMITS}"
_NETWORK = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}

Row = tuple[Any, ...]


class Connection(AsyncConnection[Row]):
    """An autocommitting connection whose statements are written with $1 and prepared on first use."""

    backend_start: datetime
    """Tells this backend from a later one with the same process id."""
    prepared: dict[bytes, bytes]
    """Names of the statements that `round_trip` has prepared here."""
    prepared_count: int


class ConnectionPool:
    """At most `limit` connections of one role to one cluster."""

    def __init__(self, url: str, *, options: str = "", limit: int = CONNECTIONS_MAX, appends: bool = False) -> None:
        """Connects nothing yet. SlowDriver where psycopg has no C build.

        With `appends` every new connection is asked whether its PostgreSQL is durable.
        """
        if pq.__impl__ == "python":
            raise SlowDriver
        self._url = make_conninfo(url, **_NETWORK)
        self._options = f"-c default_transaction_isolation=read\\ committed -c jit=off {options}"
        self._appends = appends
        self._free = Semaphore(limit)
        self._idle: list[Connection] = []
        self._closed = False

    @asynccontextmanager
    async def borrow(self) -> AsyncGenerator[Connection, None]:
        """A connection, given back afterwards; one that is broken or inside a transaction is closed instead.

        StoreUnavailable where none can be had in time, NotDurable where one that appends could lose events.
        """
        if self._free.locked():
            await self._wait_for_turn()
        else:
            await self._free.acquire()
        try:
            connection = self._take_idle() or await self._connect()
            try:
                yield connection
            finally:
                await self._give_back(connection)
        finally:
            self._free.release()

    async def rows(self, statement: bytes, parameters: Sequence[Any] = ()) -> list[Row]:
        """What one statement returns, on a borrowed connection. StoreUnavailable where PostgreSQL cannot be asked."""
        return await self.ask(lambda connection: _rows(connection, statement, parameters))

    async def ask(self, question: Callable[[Connection], Awaitable[list[Row]]]) -> list[Row]:
        """The answer to a question on a borrowed connection. StoreUnavailable as in `rows`."""
        try:
            async with timeout(ROWS_TIMEOUT_S), self.borrow() as connection:
                return await question(connection)
        except TimeoutError:
            raise StoreUnavailable("PostgreSQL did not answer in time") from None
        except psycopg.OperationalError as error:
            raise StoreUnavailable(error.sqlstate) from error

    async def close(self) -> None:
        """Closes what is idle, and whatever is given back later."""
        self._closed = True
        while self._idle:
            await self._idle.pop().close()

    async def _wait_for_turn(self) -> None:
        try:
            async with timeout(_BORROW_TIMEOUT_S):
                await self._free.acquire()
        except TimeoutError:
            raise StoreUnavailable("no free connection") from None

    def _take_idle(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not _was_cut(connection):
                return connection
            connection.pgconn.finish()
        return None

    async def _connect(self) -> Connection:
        try:
            connection = await Connection.connect(
                self._url,
                autocommit=True,
                cursor_factory=AsyncRawCursor,
                prepare_threshold=0,
                connect_timeout=_CONNECT_TIMEOUT_S,
                options=self._options,
                application_name="ledger",
            )
        except psycopg.OperationalError as error:
            raise StoreUnavailable(error.sqlstate) from error
        try:
            async with timeout(_CONNECT_TIMEOUT_S):
                await self._set_up(connection)
        except BaseException as error:
            await connection.close()
            if isinstance(error, TimeoutError):
                raise StoreUnavailable("PostgreSQL did not answer in time") from None
            if isinstance(error, psycopg.OperationalError):
                raise StoreUnavailable(error.sqlstate) from error
            raise
        return connection

    async def _set_up(self, connection: Connection) -> None:
        connection.prepared_max = _PREPARED_MAX
        if self._appends:
            await check_durability(connection)
        found = await (await connection.execute(statements("append")["backend_start"])).fetchone()
        connection.prepared, connection.prepared_count = {}, 0
        connection.backend_start = found[0] if found else datetime.min  # noqa: DTZ901 - matches no backend

    async def _give_back(self, connection: Connection) -> None:
        if is_usable(connection) and not self._closed:
            self._idle.append(connection)
        else:
            await connection.close()


async def _rows(connection: Connection, statement: bytes, parameters: Sequence[Any]) -> list[Row]:
    cursor = connection.cursor(binary=True)
    await cursor.execute(statement, parameters)
    return await cursor.fetchall() if cursor.description else []


def is_usable(connection: Connection) -> bool:
    """Whether the server has answered everything that was sent, and no transaction is open."""
    pgconn = connection.pgconn
    return (
        not connection.closed
        and pgconn.transaction_status == pq.TransactionStatus.IDLE
        and pgconn.pipeline_status == pq.PipelineStatus.OFF
    )


def _was_cut(connection: Connection) -> bool:
    """Whether an idle connection has something to read: then its server has closed it, or said that it will."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    return bool(poll.poll(0))


def writer_pool(url: str) -> ConnectionPool:
    """The connections that append (role ledger_append)."""
    return ConnectionPool(url, options=WRITER_OPTIONS, appends=True)


def reader_pool(url: str) -> ConnectionPool:
    """The connections that read."""
    return ConnectionPool(url)
