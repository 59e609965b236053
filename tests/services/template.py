"""What the database that every test database is copied from holds: the newest schema, and the roles of the server."""

import asyncio

from ledger.store.migrate import migrate
from ledger.store.roles import LOGIN_ROLES

ROLE_PASSWORDS = {role: f"{role}-secret" for role in LOGIN_ROLES}


def migrate_database(superuser_url: str) -> None:
    """Bring a database to the newest version."""
    asyncio.run(_migrate(superuser_url))


async def _migrate(superuser_url: str) -> None:
    await migrate(superuser_url, passwords=ROLE_PASSWORDS)
