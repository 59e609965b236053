"""Refuses a PostgreSQL that may lose what it acknowledged."""

from typing import Any

from psycopg import AsyncConnection

from ledger.store.errors import NotDurable
from ledger.store.statements import statements

_SAFE = {
    "fsync": {"on"},
    "full_page_writes": {"on"},
    "synchronous_commit": {"on", "local", "remote_write", "remote_apply"},
}


async def check_durability(connection: AsyncConnection[Any]) -> None:
    """NotDurable, naming the setting, where fsync, full_page_writes or synchronous_commit is off on this connection."""
    cursor = await connection.execute(statements("reading")["durability"])
    found = dict(await cursor.fetchall())
    for setting, safe in _SAFE.items():
        value = found.get(setting, "missing")
        if value not in safe:
            raise NotDurable(setting, value)
