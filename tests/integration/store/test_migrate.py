"""`ledger migrate` beside a running service."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import psycopg
import pytest
from psycopg import sql

from ledger.store import migrate as migration
from ledger.store.append import Appended
from ledger.store.committer import GroupCommitter
from ledger.store.connections import ConnectionPool, writer_pool
from ledger.store.errors import UnknownHospital
from ledger.store.hospitals import add_hospital
from ledger.store.migrate import migrate, status
from ledger.store.roles import bootstrap_roles
from ledger.store.statements import steps
from tests.contract.store.ledgers import ORIGIN_PREFIX, PASSWORDS, Stream, command
from tests.eventually import eventually_async
from tests.services.postgres import Database

SCHEMAS = 50
NOW = len(steps("hospital"))
"""Version of a hospital's schema in this release."""
NEXT_STEP = "ALTER TABLE {schema}.actors ADD COLUMN note text NOT NULL DEFAULT '';"
FAULTY_STEP = "ALTER TABLE {schema}.nowhere ADD COLUMN note text;"


@pytest.fixture
def next_release(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A release with more steps for a hospital's schema; the test says which."""
    more: list[str] = []

    def released(kind: str) -> tuple[str, ...]:
        return (*steps(kind), *(more if kind == "hospital" else ()))

    monkeypatch.setattr(migration, "steps", released)
    return more


async def with_hospitals(database: Database, count: int) -> list[str]:
    await migrate(database.url, passwords=PASSWORDS)
    names = [f"h{number:02}" for number in range(count)]
    for name in names:
        await add_hospital(migrate_url(database), name, origin_prefix=ORIGIN_PREFIX)
    return names


def migrate_url(database: Database) -> str:
    return database.url_for("ledger_migrate", PASSWORDS["ledger_migrate"])


async def test_twice_changes_nothing(empty_database: Database) -> None:
    """An empty database becomes current; then there is nothing left to do, and status says so throughout."""
    assert [state.version for state in await status(empty_database.url)] == [0]
    await with_hospitals(empty_database, 2)
    first = await migrate(migrate_url(empty_database))
    assert await migrate(migrate_url(empty_database)) == first == await status(migrate_url(empty_database))
    assert [(state.hospital, state.current) for state in first] == [(None, True), ("h00", True), ("h01", True)]


@pytest.mark.long
async def test_fifty_schemas_one_blocked_under_load(
    empty_database: Database, next_release: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blocked hospital waits its bounded turns and is named; 49 are migrated; appends go on in all 50."""
    names = await with_hospitals(empty_database, SCHEMAS)
    next_release.append(NEXT_STEP)
    monkeypatch.setattr(migration, "LOCK_ATTEMPTS_MAX", 2)
    pool = writer_pool(empty_database.url_for("ledger_append", PASSWORDS["ledger_append"]))
    async with locked(empty_database, "h25"), load(pool, names) as appended:
        states = await migrate(migrate_url(empty_database))
        before = dict(appended)
        blocked = [state for state in states if state.failure]
        assert [state.hospital for state in blocked] == ["h25"]
        assert "MigrationBlocked" in blocked[0].failure
        assert sum(state.current for state in states) == SCHEMAS
        await more_in_each(appended, before)
    again = await migrate(migrate_url(empty_database))
    assert all(state.current for state in again)
    await pool.close()


async def test_failing_hospital_does_not_stop_the_others(empty_database: Database, next_release: list[str]) -> None:
    """Its own row says why; it stays at its old version, whole, and the next run resumes there."""
    await with_hospitals(empty_database, 3)
    with psycopg.connect(empty_database.url, autocommit=True) as connection:
        connection.execute("SET ROLE ledger_owner")
        connection.execute('CREATE TABLE "h_h00".nowhere (id int)')
        connection.execute('CREATE TABLE "h_h02".nowhere (id int)')
    next_release.extend([NEXT_STEP, FAULTY_STEP])
    states = {state.hospital: state for state in await migrate(migrate_url(empty_database))}
    assert [states[name].version for name in ("h00", "h01", "h02")] == [NOW + 2, NOW + 1, NOW + 2]
    assert "UndefinedTable" in states["h01"].failure
    next_release[1] = "SELECT 1 FROM {schema}.actors;"
    resumed = await migrate(migrate_url(empty_database), "h01")
    assert [(state.hospital, state.version, state.failure) for state in resumed] == [
        (None, len(steps("control")), ""),
        ("h01", NOW + 2, ""),
    ]


async def test_unknown_hospital_is_refused(empty_database: Database) -> None:
    """By name, before anything is done to others."""
    await with_hospitals(empty_database, 0)
    with pytest.raises(UnknownHospital):
        await migrate(migrate_url(empty_database), "nowhere")


@pytest.mark.parametrize("role", ["superuser", "ledger_migrate"])
async def test_processes_at_once(empty_database: Database, role: str) -> None:
    """On an empty database, roles included or given: all succeed, and the schemas are as one run leaves them.

    Also where the database's own default is an isolation in which who waited for a lock does not see what it guarded.
    """
    url = empty_database.url if role == "superuser" else migrate_url(empty_database)
    async with migration.migrate_connection(empty_database.url) as connection:
        isolation = sql.SQL("ALTER DATABASE {} SET default_transaction_isolation = 'repeatable read'")
        await connection.execute(isolation.format(sql.Identifier(empty_database.name)).as_bytes(None))
        if role == "ledger_migrate":
            await bootstrap_roles(connection, PASSWORDS)
    script = (
        "import asyncio, sys\n"
        "from ledger.store.migrate import migrate\n"
        "from ledger.store.hospitals import add_hospital\n"
        "from tests.contract.store.ledgers import PASSWORDS\n"
        "async def main():\n"
        "    await migrate(sys.argv[1], passwords=PASSWORDS)\n"
        "    for name in ('north', 'south', 'west'):\n"
        "        await add_hospital(sys.argv[1], name, origin_prefix='ledger.test')\n"
        "    await migrate(sys.argv[1], passwords=PASSWORDS)\n"
        "asyncio.run(main())\n"
    )
    runs = [await asyncio.create_subprocess_exec(sys.executable, "-c", script, url) for _ in range(3)]
    assert [await run.wait() for run in runs] == [0, 0, 0]
    states = await status(migrate_url(empty_database))
    assert [(state.hospital, state.current) for state in states] == [
        (None, True), ("north", True), ("south", True), ("west", True),
    ]  # fmt: skip


@asynccontextmanager
async def locked(database: Database, hospital: str) -> AsyncGenerator[None, None]:
    """Somebody reads the table in a transaction that never ends."""
    async with await psycopg.AsyncConnection.connect(database.url) as connection:
        await connection.execute(sql.SQL("SELECT * FROM {}.actors").format(sql.Identifier(f"h_{hospital}")))
        yield
        await connection.rollback()


@asynccontextmanager
async def load(pool: ConnectionPool, names: list[str]) -> AsyncGenerator[dict[str, int], None]:
    """Appends to every hospital for as long as the block runs; counts by hospital. A failed append fails the block."""
    appended = dict.fromkeys(names, 0)
    going_on = True

    async def lane(name: str) -> None:
        committer = GroupCommitter(name, pool)
        while going_on:
            assert isinstance(await committer.append(command(Stream().next_event())), Appended)
            appended[name] += 1

    async with asyncio.TaskGroup() as lanes:
        for name in names:
            lanes.create_task(lane(name))
        yield appended
        going_on = False


async def more_in_each(appended: dict[str, int], before: dict[str, int]) -> None:
    """Waits until every hospital has got further."""

    async def further() -> bool:
        return all(appended[name] > before[name] for name in before)

    await eventually_async(further, what="appends in every hospital")
