"""Ends a log in the registry: from one transaction on, events are taken under its successor's origin alone."""

from __future__ import annotations

from typing import Any

from psycopg.sql import Identifier

from ledger.store.errors import HospitalDiffers
from ledger.store.migrate import MigrateConnection, migrate_connection
from ledger.store.statements import render, schema_of, statements, templates, views_schema_of

_FENCE = ("fence", "fence_always")
_FENCE_AND_VIEWS = (*_FENCE, "drop_views", "create_views", "let_views")


async def end_log(migrate_url: str, hospital: str, origin: str, successor: str, surviving: int) -> None:
    """Moves a hospital from an origin to its successor, whose first event follows position `surviving`; again: nothing.

    The views go with it, and what is published is compared from there on. Raises HospitalDiffers where the hospital
    has neither origin, StoreUnavailable.
    """
    names = {"schema": Identifier(schema_of(hospital)), "views": Identifier(views_schema_of(hospital))}
    sql = {name: render(text, **names) for name, text in templates("succession").items()}
    async with migrate_connection(migrate_url) as connection, connection.transaction():
        await connection.execute(sql["bound_waiting"])
        await connection.execute(statements("migrate")["become_owner"])
        found = await (await connection.execute(sql["origin"], (hospital,))).fetchone()
        if found is None or found[0] not in (origin, successor):
            raise HospitalDiffers(hospital)
        if found[0] == successor:
            return
        await connection.execute(sql["end_log"], (origin, hospital, successor, surviving))
        await connection.execute(sql["move_origin"], (origin, hospital, successor))
        await connection.execute(sql["publish_again"], (hospital, surviving))
        for each in _FENCE_AND_VIEWS:
            await connection.execute(sql[each])


async def fence_ended_logs(connection: MigrateConnection) -> None:
    """Makes the fence of every ledger anew whose log ended once, where rows were put into a schema just built."""
    if not (await _rows(connection, "has_ended_logs"))[0][0]:  # a registry from before there were any
        return
    for (hospital,) in await _rows(connection, "with_ended_logs"):
        for each in _FENCE:
            await connection.execute(render(templates("succession")[each], schema=Identifier(schema_of(hospital))))


async def _rows(connection: MigrateConnection, name: str) -> list[tuple[Any, ...]]:
    return await (await connection.execute(templates("succession")[name].encode())).fetchall()
