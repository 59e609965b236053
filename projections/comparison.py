"""Compares a view with one that is built from the first event: rows that no event accounts for are found so."""

from dataclasses import dataclass

from psycopg.sql import Identifier

from ledger.views.errors import ViewAbsent
from ledger.views.statements import render, templates
from ledger.views.view import View
from projections.connections import Connection
from projections.generation import discard, serving
from projections.projector import Projector
from projections.rebuild import build_beside
from projections.session import Tools
from projections.tables import generation_name, shared_statements


@dataclass(frozen=True, slots=True)
class TableDifference:
    """Rows of one table that the two have not in common; a changed row counts once on each side."""

    table: str
    running: int
    """Rows that readers see and no event accounts for."""
    rebuilt: int
    """Rows that the events account for and readers do not see."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison came to."""

    events: int
    differences: tuple[TableDifference, ...]
    """Empty where the view is what its events say."""


async def compare(tools: Tools, hospital: str, partitions: int, view: View) -> Compared:
    """Builds beside the running view, and compares where both have handled the same events; then drops what it built.

    Readers and the running view go on; it is held still while rows are compared. ViewAbsent where there is none, and
    as `rebuild`: RebuildStalled also where the running view never stands where the new one does.
    """
    found: list[TableDifference] = []

    async def compared(connection: Connection, hospital: str, projector: Projector) -> bool:
        old = await serving(connection, hospital, view)
        if old is None:
            raise ViewAbsent(view.name, hospital)
        shared, places = shared_statements(hospital), (view.name, old.number, projector.generation)
        async with connection.transaction():
            await connection.execute(shared["lock_all"], (view.name,))
            row = await (await connection.execute(shared["stand_at_one"], places)).fetchone()
            if not row or not row[0]:
                return False
            found.extend(await _differences(connection, hospital, view, old.number, projector.generation))
        # While it is still ours: a rebuild would go on with it.
        await discard(connection, hospital, view, projector.generation)
        return True

    built = await build_beside(tools, hospital, partitions, view, compared)
    return Compared(built.events, tuple(found))


async def _differences(connection: Connection, hospital: str, view: View, old: int, new: int) -> list[TableDifference]:
    found: list[TableDifference] = []
    for table in view.tables:
        names = [generation_name(hospital, view, number, table.name) for number in (old, new)]
        only = [await _only_in(connection, *pair) for pair in (names, names[::-1])]
        if any(only):
            found.append(TableDifference(table.name, *only))
    return found


async def _only_in(connection: Connection, table: Identifier, other: Identifier) -> int:
    query = render(templates("projections", "projector")["rows_only_in"], {"table": table, "other": other})
    row = await (await connection.execute(query)).fetchone()
    return int(row[0]) if row else 0
