"""The database roles of the ledger, made by whoever may make roles."""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.sql import Identifier, Literal

from ledger.store.statements import render, statements, templates

OWNER = "ledger_owner"
MIGRATE = "ledger_migrate"
LOGIN_ROLES = (MIGRATE, "ledger_append", "ledger_stream", "ledger_views", "ledger_keys")

_ATTEMPTS_MAX = 10


async def bootstrap_roles(connection: AsyncConnection[Any], passwords: Mapping[str, str]) -> bool:
    """Makes the roles that are missing, lets those with a password log in, and lets the owner create schemas here.

    False, and nothing done, where the connecting user may not create roles. May run twice, and in two processes.
    """
    cursor = await connection.execute(statements("migrate")["may_create_roles"])
    row = await cursor.fetchone()
    if not row or not row[0]:
        return False
    for attempt in range(_ATTEMPTS_MAX):
        try:
            async with connection.transaction():
                await _make_roles(connection, passwords)
        except (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateObject, psycopg.InternalError):
            # Roles belong to the whole cluster, advisory locks to one database: somebody else was faster.
            if attempt == _ATTEMPTS_MAX - 1:
                raise
        else:
            break
    return True


async def _make_roles(connection: AsyncConnection[Any], passwords: Mapping[str, str]) -> None:
    named, texts = statements("migrate"), templates("migrate")
    await connection.execute(named["lock"], ("roles",))
    for role in (OWNER, *LOGIN_ROLES):
        if not await (await connection.execute(named["has_role"], (role,))).fetchone():
            await connection.execute(render(texts["create_role"], role=Identifier(role)))
        if role in passwords:
            login = render(texts["let_login"], role=Identifier(role), password=Literal(passwords[role]))
            await connection.execute(login)
    await _admit_migrate(connection)
    await _open_database(connection)


async def _admit_migrate(connection: AsyncConnection[Any]) -> None:
    row = await (await connection.execute(statements("migrate")["is_member"], (MIGRATE,))).fetchone()
    if not row or not row[0]:
        await connection.execute(render(templates("migrate")["join_owner"], role=Identifier(MIGRATE)))


async def _open_database(connection: AsyncConnection[Any]) -> None:
    row = await (await connection.execute(statements("migrate")["database"])).fetchone()
    assert row is not None, "current_database() returns one row"  # noqa: S101
    for name in ("let_owner_create", "let_roles_connect"):
        await connection.execute(render(templates("migrate")[name], database=Identifier(row[0])))
