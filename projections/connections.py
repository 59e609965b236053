"""Connections of the read side to one cluster, under the role `ledger_views`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection, AsyncRawCursor, OperationalError
from psycopg.types.array import ListBinaryDumper
from psycopg_pool import AsyncConnectionPool

from ledger.views.errors import ViewsUnavailable

CONNECTIONS_MAX = 8
_BORROW_TIMEOUT_S = 30.0
_IDLE_S_MAX = 60.0

Connection = AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Connection]


def connection_pool(url: str, *, connections_max: int = CONNECTIONS_MAX) -> Pool:
    """A pool, to be opened by `async with`, that keeps no connection while nobody needs one."""
    return AsyncConnectionPool(
        url,
        kwargs={"autocommit": True, "cursor_factory": AsyncRawCursor, "prepare_threshold": 2},
        configure=_prefer_binary_arrays,
        min_size=0,
        max_size=connections_max,
        timeout=_BORROW_TIMEOUT_S,
        max_idle=_IDLE_S_MAX,
        open=False,
        name="views",
    )


@asynccontextmanager
async def borrowed(pool: Pool) -> AsyncGenerator[Connection]:
    """A connection for a reader's question. ViewsUnavailable where there is none, or it is lost on the way."""
    try:
        async with pool.connection() as connection:
            yield connection
    except OperationalError as error:
        raise ViewsUnavailable from error


async def _prefer_binary_arrays(connection: Connection) -> None:
    """Batches travel as one array per column: as text every element would be searched for what to quote."""
    connection.adapters.register_dumper(list, ListBinaryDumper)
