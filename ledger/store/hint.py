"""Tells that a head has moved, by NOTIFY in a statement of its own.

A hint may be lost; a sweep over all heads finds what it missed.
"""

import asyncio

import psycopg

from ledger.store.connections import Connection, ConnectionPool
from ledger.store.errors import StoreUnavailable
from ledger.store.statements import statements

CHANNEL = "ledger_head"
PER_SECOND_MAX = 100


class HeadHint:
    """Coalesces hints to at most 100 a second in this process; idle, it holds neither task nor connection."""

    def __init__(self, connections: ConnectionPool) -> None:
        self._connections = connections
        self._heads: dict[str, int] = {}
        self._sender: asyncio.Task[None] | None = None

    def tell(self, hospital: str, head: int) -> None:
        """Says that a hospital's head is at least here; returns at once."""
        self._heads[hospital] = max(head, self._heads.get(hospital, 0))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send(), name="head hints")

    async def close(self) -> None:
        """Waits until what was told has been sent."""
        if self._sender is not None:
            await asyncio.wait({self._sender})

    async def _send(self) -> None:
        try:
            async with self._connections.borrow() as connection:
                while self._heads:
                    await self._send_next(connection)
                    await asyncio.sleep(1 / PER_SECOND_MAX)
        except (StoreUnavailable, psycopg.OperationalError):
            self._heads.clear()  # allowed: hints may be lost
        finally:
            self._sender = None

    async def _send_next(self, connection: Connection) -> None:
        hospital = next(iter(self._heads))
        head = self._heads.pop(hospital)
        await connection.execute(statements("append")["hint"], (CHANNEL, f"{hospital} {head}"))
