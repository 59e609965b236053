"""Puts the rows of a backup into an empty cluster, all of it in one transaction: whole, or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg.sql import SQL, Composable, Identifier, Literal

from ledger.backup.faults import RestoreRefused
from ledger.backup.held_backup import HeldBackup
from ledger.backup.manifest import Ledger, Table
from ledger.backup.restoring import Placed
from ledger.backup.stored_rows import CONTROL, KEYS, PASSING, RESERVATION_KEY
from ledger.domain.decision import LOG
from ledger.keys.upheld import DESTRUCTIONS_UPHELD
from ledger.store.errors import StoreUnavailable
from ledger.store.migrate import MigrateConnection, SchemaState, build_schema, migrate, migrate_connection
from ledger.store.roles import bootstrap_roles
from ledger.store.statements import schema_of, steps
from ledger.store.succession import fence_ended_logs
from ledger.views.statements import render, templates

_CHUNK = 1 << 20
_REGISTRY = "hospitals"
_ENDED_LOGS = "ended_logs"
_MADE_WITH_A_ROW = ("head", RESERVATION_KEY)


@dataclass(frozen=True, slots=True)
class KeylessList:
    """A succession whose keys were not put back: which destructions it upholds cannot be read."""

    hospital: str
    origin: str
    """Of the ledger's present log."""
    position: int


async def require_ready(url: str, events: HeldBackup) -> None:
    """RestoreRefused where the cluster has hospitals, or the backup is of a later release; before a byte is written."""
    _require_known_versions(events)
    async with migrate_connection(url) as connection:
        row = await (await connection.execute(_sql("has_registry"))).fetchone()
        if row and row[0]:
            await connection.execute(_sql("be_owner"))
            await _require_empty(connection)


async def put_back(
    url: str,
    events: HeldBackup,
    keys: HeldBackup | None,
    before_commit: Callable[[], Placed],
    keyless: Callable[[KeylessList], None],
    passwords: Mapping[str, str] | None = None,
) -> list[SchemaState]:
    """Makes the roles where it may, builds the schemas as they were, loads the rows, then migrates to this release.

    `before_commit` puts in place what must be there before a ledger is, and names the keys that must not come back, and
    the ledgers of which nobody can tell; what it raises rolls all rows back. `keyless` is told of each succession whose
    list of destructions no key opens, and whose ledger is held back therefore. Without `keys` every hospital is closed.
    RestoreRefused where the cluster has hospitals, the backup is of a later release, or PostgreSQL refuses a row;
    nothing is written then. StoreUnavailable.
    """
    _require_known_versions(events)
    async with migrate_connection(url) as connection:
        try:
            await bootstrap_roles(connection, passwords or {})
            async with connection.transaction():
                await _load(connection, events, keys)
                placed = await asyncio.to_thread(before_commit)
                if keys:
                    lists = await _keyless_lists(connection, events.manifest.ledgers)
                    await _keep_destroyed(connection, placed, lists)
                    for each in lists:
                        keyless(each)
        except psycopg.OperationalError as error:
            raise StoreUnavailable(error.sqlstate) from error
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
            # Its text may quote a row.
            raise RestoreRefused([f"PostgreSQL refuses the rows ({type(error).__name__})"]) from error
    return await migrate(url)


async def _keyless_lists(connection: MigrateConnection, ledgers: Sequence[Ledger]) -> list[KeylessList]:
    names = {"kind": Literal(LOG), "type": Literal(DESTRUCTIONS_UPHELD)}
    return [
        KeylessList(each.hospital, each.origin, row[0])
        for each in ledgers
        for row in await (
            await connection.execute(_sql("keyless_lists", schema=Identifier(schema_of(each.hospital)), **names))
        ).fetchall()
    ]


async def _keep_destroyed(connection: MigrateConnection, placed: Placed, lists: Sequence[KeylessList]) -> None:
    for each in placed.destroyed:
        await connection.execute(_sql("destroy_key"), (each.origin, each.stream_id, each.position))
    if placed.unseen or lists:
        # A backup of an earlier release has no such table yet, and its records must not be read meanwhile either.
        await build_schema(connection, None, len(steps("control")))
    for each in placed.unseen:
        await connection.execute(_sql("hold_back"), (each.origin, each.first, each.upto))
    for each in lists:
        await connection.execute(_sql("hold_back"), (each.origin, each.position, each.position))


async def _load(connection: MigrateConnection, events: HeldBackup, keys: HeldBackup | None) -> None:
    await build_schema(connection, None, events.manifest.control_version)
    await _require_empty(connection)
    for each in events.manifest.ledgers:
        await build_schema(connection, each.hospital, each.schema_version)
    await connection.execute(_sql("become_owner"))
    await _require_tables(connection, events, keys)
    for table in _in_order(events.manifest.tables):
        await _load_table(connection, events, table)
    for table in keys.manifest.tables if keys else ():
        await _load_table(connection, keys or events, table)
    await fence_ended_logs(connection)
    await connection.execute(_sql("erase_again" if keys else "close"))


async def _load_table(connection: MigrateConnection, held: HeldBackup, table: Table) -> None:
    names = {
        "table": Identifier(table.schema, table.name),
        "columns": SQL(", ").join(map(Identifier, table.columns)),
    }
    if table.name in _MADE_WITH_A_ROW:
        await connection.execute(_sql("empty", table=names["table"]))
    with held.open(table.file) as file:
        async with connection.cursor() as cursor, cursor.copy(_sql("copy_in", **names)) as copy:
            while part := file.read(_CHUNK):
                await copy.write(part)


def _in_order(tables: Sequence[Table]) -> list[Table]:
    """The registry late: a closed hospital's tables take no commands, not even these; what refers to it after it."""
    late = {(CONTROL, _REGISTRY): 1, (CONTROL, _ENDED_LOGS): 2}
    return sorted(tables, key=lambda each: late.get((each.schema, each.name), 0))


async def _require_empty(connection: MigrateConnection) -> None:
    found = await (await connection.execute(_sql("has_hospitals"))).fetchall()
    kept = await (await connection.execute(_sql("has_keys"))).fetchall()
    faults = [f"the target holds a ledger already: {row[0]}" for row in found]
    faults += [f"the target holds keys already: of {row[0]}" for row in kept]
    if faults:
        raise RestoreRefused(faults)


async def _require_tables(connection: MigrateConnection, events: HeldBackup, keys: HeldBackup | None) -> None:
    """Every table of the schemas, and no other: one that lacks would come back empty; keys never come with events."""
    hospitals = [schema_of(each.hospital) for each in events.manifest.ledgers]
    there = {(schema, name) for schema in (CONTROL, KEYS, *hospitals) for name in await _tables(connection, schema)}
    secret = {(schema, name) for schema, name in there if schema == KEYS or name == RESERVATION_KEY}
    # A registry that is newer than the backup may have tables that were not there yet.
    row = await (await connection.execute(_sql("control_version"))).fetchone()
    exact = (*hospitals, CONTROL, KEYS) if row == (events.manifest.control_version,) else hospitals
    faults: list[str] = []
    for held, wanted in ((events, there - secret), (keys, secret)):
        if held is not None:
            given = {(table.schema, table.name) for table in held.manifest.tables}
            faults += [
                f"{schema}.{name}: missing in {held.folder}" for schema, name in wanted - given if schema in exact
            ]
            faults += [f"{schema}.{name}: does not belong into {held.folder}" for schema, name in given - wanted]
    if faults:
        raise RestoreRefused(sorted(faults))


async def _tables(connection: MigrateConnection, schema: str) -> set[str]:
    rows = await (await connection.execute(_sql("columns", schema=Literal(f'"{schema}"')))).fetchall()
    return {row[0] for row in rows} - PASSING


def _require_known_versions(events: HeldBackup) -> None:
    manifest = events.manifest
    versions = [("the registry", manifest.control_version, len(steps("control")))]
    versions += [(each.hospital, each.schema_version, len(steps("hospital"))) for each in manifest.ledgers]
    later = [
        f"{name}: schema version {found}, this release knows {known}"
        for name, found, known in versions
        if found > known
    ]
    if later:
        raise RestoreRefused(later)


def _sql(name: str, **names: Composable) -> bytes:
    return render(templates("ledger.backup", "rows")[name], names)
