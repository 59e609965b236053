"""`ledger migrate`: the control schema, then hospital by hospital, each in transactions of its own.

May run twice, and in two processes at once; a run that was cut short is resumed by the next. A hospital that fails or
stays locked does not stop the others. Only steps that the running release can live with are applied here.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor, IsolationLevel
from psycopg.sql import Identifier

from ledger.store.errors import MigrationBlocked, StoreError, StoreUnavailable, UnknownHospital
from ledger.store.roles import bootstrap_roles
from ledger.store.statements import render, schema_of, statements, steps, views_schema_of

LOCK_ATTEMPTS_MAX = 5
_FIRST_PAUSE_S = 0.2
CONTROL = "ledger_control"

MigrateConnection = AsyncConnection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class SchemaState:
    """One schema's version. `failure` is empty unless a migration just failed."""

    schema: str
    hospital: str | None
    """None for the control schema."""
    version: int
    wanted: int
    failure: str = ""

    @property
    def current(self) -> bool:
        """Whether the schema is at the version of this release."""
        return self.version == self.wanted


async def migrate(
    url: str, hospital: str | None = None, passwords: Mapping[str, str] | None = None
) -> list[SchemaState]:
    """Brings the control schema and every hospital (or the one named) to this release's version.

    `passwords` by role name: roles are made first, where the connecting user may. A failure of one hospital stands
    in its row; a failure of the control schema is raised.
    """
    async with migrate_connection(url) as connection:
        await bootstrap_roles(connection, passwords or {})
        control = await _migrate_schema(connection, None)
        names = await _hospitals(connection)
        if hospital is not None and hospital not in names:
            raise UnknownHospital(hospital)
        return [control, *[await _migrate_apart(connection, name) for name in names if hospital in (None, name)]]


async def status(url: str) -> list[SchemaState]:
    """The version of every schema, without changing anything."""
    async with migrate_connection(url) as connection:
        control = await _state(connection, None)
        names = await _hospitals(connection) if control.version else []
        return [control, *[await _state(connection, name) for name in names]]


async def migrate_hospital(connection: MigrateConnection, hospital: str) -> SchemaState:
    """Brings one hospital's schema to this release's version; MigrationBlocked where it stays locked."""
    return await _migrate_schema(connection, hospital)


@asynccontextmanager
async def migrate_connection(url: str) -> AsyncGenerator[MigrateConnection, None]:
    """A connection for provisioning alone (role ledger_migrate, or who may create roles)."""
    try:
        connection = await AsyncConnection.connect(
            url, autocommit=True, cursor_factory=AsyncRawCursor, connect_timeout=5, application_name="ledger migrate"
        )
    except psycopg.OperationalError as error:
        raise StoreUnavailable(error.sqlstate) from error
    async with connection:
        # A snapshot from before the wait for the lock would show the schema as it was before the other run's steps.
        await connection.set_isolation_level(IsolationLevel.READ_COMMITTED)
        yield connection


async def build_schema(connection: MigrateConnection, hospital: str | None, version: int) -> None:
    """The control schema, or a hospital's, as an earlier release left it, for rows of then; inside a transaction."""
    while await _version(connection, hospital) < version and await _apply_next_step(connection, hospital):
        pass


async def _migrate_apart(connection: MigrateConnection, hospital: str) -> SchemaState:
    try:
        return await _migrate_schema(connection, hospital)
    except (psycopg.Error, StoreError) as error:
        if connection.closed:
            raise
        found = await _state(connection, hospital)
        return SchemaState(found.schema, hospital, found.version, found.wanted, repr(error))


async def _migrate_schema(connection: MigrateConnection, hospital: str | None) -> SchemaState:
    pause_s = _FIRST_PAUSE_S
    for _ in range(LOCK_ATTEMPTS_MAX):
        try:
            while await _apply_next_step(connection, hospital):
                pass
            return await _state(connection, hospital)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            await asyncio.sleep(pause_s)
            pause_s *= 2
    raise MigrationBlocked(_schema(hospital))


async def _apply_next_step(connection: MigrateConnection, hospital: str | None) -> bool:
    """One step and its version in one transaction, under a lock that ends with it; False where none is left."""
    named = statements("migrate", hospital)
    async with connection.transaction():
        await connection.execute(named["bound_waiting"])
        await connection.execute(named["lock"], (_schema(hospital),))
        await connection.execute(named["become_owner"])
        version = await _version(connection, hospital)
        wanted = steps(_kind(hospital))
        if version >= len(wanted):
            return False
        await _open_schema(connection, hospital)
        await connection.execute(_rendered(wanted[version], hospital))
        await connection.execute(named["set_version"], (version + 1,))
        if hospital and version + 1 == len(wanted):
            await connection.execute(named["set_registry_version"], (hospital, len(wanted)))
        return True


async def _open_schema(connection: MigrateConnection, hospital: str | None) -> None:
    named = statements("migrate", hospital)
    await connection.execute(named["create_schema"])
    await connection.execute(named["create_version"])


def _rendered(step: str, hospital: str | None) -> bytes:
    if hospital is None:
        return step.encode()
    return render(step, schema=Identifier(schema_of(hospital)), views=Identifier(views_schema_of(hospital)))


async def _state(connection: MigrateConnection, hospital: str | None) -> SchemaState:
    version = await _version(connection, hospital)
    return SchemaState(_schema(hospital), hospital, version, len(steps(_kind(hospital))))


async def _version(connection: MigrateConnection, hospital: str | None) -> int:
    named = statements("migrate", hospital)
    table = f'"{_schema(hospital)}".schema_version'
    row = await (await connection.execute(named["has_version"], (table,))).fetchone()
    if not row or not row[0]:
        return 0
    row = await (await connection.execute(named["version"])).fetchone()
    return row[0] if row else 0


async def _hospitals(connection: MigrateConnection) -> list[str]:
    cursor = await connection.execute(statements("migrate")["list_hospitals"])
    return [row[0] for row in await cursor.fetchall()]


def _schema(hospital: str | None) -> str:
    return schema_of(hospital) if hospital else CONTROL


def _kind(hospital: str | None) -> str:
    return "hospital" if hospital else "control"
