"""Generations of a view: each has tables of its own, so that a new one is built beside the live one and swapped in."""

from dataclasses import dataclass

from psycopg.sql import Identifier

from ledger.views.digest import EMPTY_DIGEST
from ledger.views.statements import render, templates, views_schema
from ledger.views.view import View
from projections.checkpoint import Fenced
from projections.connections import Connection
from projections.tables import exposed_name, generation_name, shared_statements, writing_statements

_FIRST = 1


@dataclass(frozen=True, slots=True)
class Generation:
    """One build of a view. State: `building`, `live` or `stopped` (live, but too many records are stopped)."""

    number: int
    schema_version: int
    state: str


async def prepare(connection: Connection, hospital: str) -> None:
    """Makes the tables that all views of a hospital share; running it again changes nothing."""
    statements = shared_statements(hospital)
    async with connection.transaction():
        await connection.execute(statements["lock_creation"], (hospital,))
        await connection.execute(statements["create"])


async def generations(connection: Connection, hospital: str, view: View) -> list[Generation]:
    """The generations of a view, oldest first."""
    cursor = await connection.execute(shared_statements(hospital)["generations"], (view.name,))
    return [Generation(*row) for row in await cursor.fetchall()]


async def serving(connection: Connection, hospital: str, view: View) -> Generation | None:
    """The generation that readers see; None before the first build."""
    return next((g for g in await generations(connection, hospital, view) if g.state != "building"), None)


async def ensure_live(connection: Connection, hospital: str, view: View, partitions: int) -> Generation:
    """The generation that readers see; the first one is made and shown at once, empty."""
    async with connection.transaction():
        await connection.execute(shared_statements(hospital)["lock_creation"], (hospital,))
        found = await serving(connection, hospital, view)
        if found is not None:
            return found
        created = await _add(connection, hospital, view, _FIRST, "live", partitions)
        await expose(connection, hospital, view, created.number)
        return created


async def add_building(connection: Connection, hospital: str, view: View, partitions: int) -> Generation:
    """A new generation beside what is there, to be built from the first event."""
    async with connection.transaction():
        await connection.execute(shared_statements(hospital)["lock_creation"], (hospital,))
        known = await generations(connection, hospital, view)
        number = known[-1].number + 1 if known else _FIRST
        return await _add(connection, hospital, view, number, "building", partitions)


async def expose(connection: Connection, hospital: str, view: View, generation: int) -> None:
    """Shows a generation's tables under the names that readers use."""
    for table in view.tables:
        names = {
            "exposed": exposed_name(hospital, view, table.name),
            "table": generation_name(hospital, view, generation, table.name),
        }
        await connection.execute(_rendered("withdraw", names))
        await connection.execute(_rendered("expose", names))


async def is_abandoned(connection: Connection, hospital: str, view: View, role: str, seconds: float) -> bool:
    """Whether a generation is being built by nobody: its lease `role` was released, or ended so many seconds ago."""
    parameters = (view.name, hospital, role, seconds)
    row = await (await connection.execute(shared_statements(hospital)["abandoned"], parameters)).fetchone()
    return bool(row and row[0])


async def swap(connection: Connection, hospital: str, view: View, old: int, new: int, epoch: int) -> bool:
    """Shows the new generation and drops the old one (0 = none), if the new one has come as far in every partition.

    The old generation's projector finds its row gone and stops; the next session goes on with the new one. Fenced where
    the new one is not being built under this epoch any more: another rebuild went on with it, and may have shown it.
    """
    shared = shared_statements(hospital)
    async with connection.transaction():
        await connection.execute(shared["lock_all"], (view.name,))
        if (await connection.execute(shared["being_built"], (view.name, new, epoch))).rowcount != 1:
            raise Fenced
        row = await (await connection.execute(shared["has_overtaken"], (view.name, old, new))).fetchone()
        if not row or not row[0]:
            return False
        # The rebuild's epoch is of another lease: whoever was fenced from the old rows, and only they, stay fenced.
        await connection.execute(shared["inherit_epoch"], (view.name, old, new))
        await expose(connection, hospital, view, new)
        if old:
            await _drop(connection, hospital, view, old)
        await connection.execute(shared["set_state"], (view.name, new, "live"))
    return True


async def discard(connection: Connection, hospital: str, view: View, number: int) -> None:
    """Drops a generation that was never shown."""
    async with connection.transaction():
        await connection.execute(shared_statements(hospital)["lock_all"], (view.name,))
        await _drop(connection, hospital, view, number)


async def _drop(connection: Connection, hospital: str, view: View, number: int) -> None:
    shared = shared_statements(hospital)
    for statement in ("forget_dead_letters", "forget_parked", "forget_checkpoints", "forget_generation"):
        await connection.execute(shared[statement], (view.name, number))
    parameters = (views_schema(hospital), f"{view.name}_g{number}_")
    for (table,) in await (await connection.execute(shared["tables_of"], parameters)).fetchall():
        await connection.execute(_rendered("drop_table", {"table": Identifier(views_schema(hospital), table)}))


async def _add(
    connection: Connection, hospital: str, view: View, number: int, state: str, partitions: int
) -> Generation:
    shared = shared_statements(hospital)
    await connection.execute(writing_statements(hospital, view, number)["create"])
    await connection.execute(shared["add_generation"], (view.name, number, view.schema_version, state))
    await connection.execute(shared["add_checkpoints"], (view.name, number, partitions, EMPTY_DIGEST))
    return Generation(number, view.schema_version, state)


def _rendered(name: str, names: dict[str, Identifier]) -> bytes:
    return render(templates("projections", "projector")[name], names)
