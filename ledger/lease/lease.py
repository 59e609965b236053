"""A lease is a row of `ledger_control.leases`: hospital, role, holder, epoch, expiry by the database's clock.

No advisory lock of a session: those vanish or stay with a connection, not with the work. A holder that was killed is
replaced when its term is over.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from psycopg import AsyncConnection, AsyncRawCursor
from psycopg_pool import AsyncConnectionPool

from ledger.views.statements import templates

TERM_SECONDS = 5.0
"""A lease is free after this long without renewal."""
_CONNECTIONS_MAX = 2
_BORROW_SECONDS_MAX = 1.0

Connection = AsyncConnection[tuple[Any, ...]]
Borrow = Callable[[], AbstractAsyncContextManager[Connection]]
"""Lends an autocommitting connection with numbered parameters ($1) for one statement."""
Pool = AsyncConnectionPool[Connection]


def lease_pool(url: str) -> Pool:
    """Connections for leases alone, to be opened by `async with`: work that takes all others holds up no renewal."""
    return AsyncConnectionPool(
        url,
        kwargs={"autocommit": True, "cursor_factory": AsyncRawCursor},
        min_size=0,
        max_size=_CONNECTIONS_MAX,
        timeout=_BORROW_SECONDS_MAX,
        max_idle=60.0,
        open=False,
        name="leases",
    )


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """A lease as others see it."""

    hospital: str
    role: str
    holder: str
    epoch: int
    expires_at: datetime


@dataclass(slots=True)
class Lease:
    """A lease that this process took. Whether it still holds is known only by renewing it."""

    hospital: str
    role: str
    holder: str
    epoch: int
    _borrow: Borrow
    terms: int = 1
    """One more wherever a term that was over was begun again. The database may have been replaced by one that lags,
    where neither holder nor epoch is another: who signs compares with the ledger before going on."""

    async def renew(self) -> bool:
        """Holds it for another term; False where somebody else has taken it since.

        A term that is over while nobody took the lease is begun again under the same epoch, and counted in `terms`:
        nobody worked meanwhile, as far as this database knows.
        """
        async with self._borrow() as connection:
            cursor = await connection.execute(_sql("renew"), (*self._key, TERM_SECONDS))
            row = await cursor.fetchone()
        if row is None:
            return False
        self.terms += row[0]
        return True

    async def release(self) -> None:
        """Lets the next holder take it at once."""
        async with self._borrow() as connection:
            await connection.execute(_sql("release"), self._key)

    @property
    def _key(self) -> tuple[str, str, str, int]:
        return self.hospital, self.role, self.holder, self.epoch


class Leases:
    """Takes leases in the name of this process."""

    def __init__(self, borrow: Borrow) -> None:
        self._borrow = borrow
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"

    async def acquire(self, hospital: str, role: str) -> Lease | None:
        """The lease, if nobody holds it."""
        async with self._borrow() as connection:
            cursor = await connection.execute(_sql("acquire"), (hospital, role, self._holder, TERM_SECONDS))
            row = await cursor.fetchone()
        return None if row is None else Lease(hospital, role, self._holder, row[0], self._borrow)

    async def held(self, hospital: str) -> list[LeaseRow]:
        """The leases of a hospital whose term is not over, whoever holds them."""
        async with self._borrow() as connection:
            cursor = await connection.execute(_sql("held"), (hospital,))
            return [LeaseRow(*row) for row in await cursor.fetchall()]


@cache
def _sql(name: str) -> bytes:
    return templates("ledger.lease", "lease")[name].encode()
