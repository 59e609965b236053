"""The rows of a cluster in one snapshot: read beside the writers, who wait for none of it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, IsolationLevel
from psycopg.sql import SQL, Composable, Identifier, Literal

from ledger.backup.faults import BackupRefused
from ledger.backup.manifest import Table
from ledger.backup.new_backup import NewBackup
from ledger.store.errors import StoreUnavailable
from ledger.store.statements import schema_of
from ledger.trust.envelope import decode
from ledger.views.statements import render, templates

CONTROL = "ledger_control"
KEYS = "ledger_keys"
RESERVATION_KEY = "reservation_key"
"""A secret though it lies among a hospital's tables: whoever has it can try case numbers against its reservations."""
PASSING = {"schema_version", "leases", "reader_states"}
"""Made anew by the migration, or by who runs next."""
_CONTROL_ROWS = {
    "hospitals": "copy_out_registry",
    "transfer_stream": "copy_out_transfers",
}
"""How the rows of a hospital are told in the registry's tables; in every other one by the column `hospital`."""
_FIRST = {"purges": 0}
"""Other rows of the keys name these."""


@dataclass(frozen=True, slots=True)
class Registered:
    """One hospital as the registry has it."""

    hospital: str
    origin: str
    schema_version: int


class StoredRows:
    """One cluster at one moment."""

    def __init__(self, url: str, connection: Connection[tuple[Any, ...]]) -> None:
        """Use `snapshot`."""
        self._url = url
        self._connection = connection

    @contextmanager
    def for_a_moment(self) -> Generator[StoredRows]:
        """The same rows over a connection of its own, whose locks end with the block and not with the snapshot."""
        (name,) = self._rows("export_snapshot")[0]
        with _reading(self._url) as connection:
            connection.execute(_sql("set_snapshot", snapshot=Literal(name)))
            connection.execute(_sql("become_owner"))
            yield StoredRows(self._url, connection)

    def registered(self) -> list[Registered]:
        """Every hospital whose schema is there."""
        return [Registered(*row) for row in self._rows("registry")]

    def control_version(self) -> int:
        """Schema version of the registry."""
        return self._rows("control_version")[0][0]

    def head(self, hospital: str) -> tuple[int, bytes]:
        """Last position and its leaf hash."""
        position, leaf = self._rows("head", schema=Identifier(schema_of(hospital)))[0]
        return position, bytes(leaf)

    def last_origin(self, hospital: str) -> str | None:
        """Under which origin the last event was appended; None for an empty ledger. EnvelopeFault."""
        rows = self._rows("last_envelope", schema=Identifier(schema_of(hospital)))
        return decode(bytes(rows[0][0])).origin if rows else None

    def leaf_at(self, hospital: str, position: int) -> bytes | None:
        """Leaf hash of an event; None where there is none."""
        rows = self._connection.execute(_sql("leaf_at", schema=Identifier(schema_of(hospital))), (position,)).fetchall()
        return bytes(rows[0][0]) if rows else None

    def write_ledger(self, backup: NewBackup, hospital: str) -> list[Table]:
        """Events, stream heads, head, reservations, register of commands, actors."""
        schema = schema_of(hospital)
        return [
            self._write(backup, schema, name, columns, "copy_out")
            for name, columns in self._tables(schema).items()
            if name != RESERVATION_KEY
        ]

    def write_control(self, backup: NewBackup, of: Sequence[Registered]) -> list[Table]:
        """What the registry's tables hold of these hospitals."""
        return [
            self._write(backup, CONTROL, name, columns, _CONTROL_ROWS.get(name, "copy_out_by_hospital"), of)
            for name, columns in self._tables(CONTROL).items()
        ]

    def write_keys(self, backup: NewBackup, of: Sequence[Registered]) -> list[Table]:
        """Wrapped keys, tombstones, the purge register, and the keys of the reservations."""
        tables = sorted(self._tables(KEYS).items(), key=lambda each: _FIRST.get(each[0], 1))
        written = [self._write(backup, KEYS, name, columns, "copy_out_keys", of) for name, columns in tables]
        for each in of:
            schema = schema_of(each.hospital)
            columns = self._tables(schema)[RESERVATION_KEY]
            written.append(self._write(backup, schema, RESERVATION_KEY, columns, "copy_out"))
        return written

    def _tables(self, schema: str) -> dict[str, list[str]]:
        rows = self._rows("columns", schema=Literal(f'"{schema}"'))
        return {name: columns for name, columns in rows if name not in PASSING}

    def _write(
        self,
        backup: NewBackup,
        schema: str,
        name: str,
        columns: Sequence[str],
        statement: str,
        of: Sequence[Registered] = (),
    ) -> Table:
        file = f"rows/{schema}/{name}"
        names: dict[str, Composable] = {
            "columns": SQL(", ").join(map(Identifier, columns)),
            "table": Identifier(schema, name),
            "hospitals": Literal([each.hospital for each in of]),
            "prefixes": Literal([each.origin.rpartition("/")[0] for each in of]),
        }
        with self._connection.cursor() as cursor, cursor.copy(_sql(statement, **names)) as copy:
            backup.write(file, copy)
        return Table(schema, name, tuple(columns), file)

    def _rows(self, name: str, **names: Composable) -> list[tuple[Any, ...]]:
        return self._connection.execute(_sql(name, **names)).fetchall()


@contextmanager
def snapshot(url: str) -> Generator[StoredRows]:
    """The cluster as it is now, until the block ends. StoreUnavailable, BackupRefused.

    It holds the lock of a reader on each table: writers do not feel it, a migration or a rewrite of the table waits.
    """
    with _reading(url) as connection:
        connection.execute(_sql("become_owner"))
        yield StoredRows(url, connection)


@contextmanager
def _reading(url: str) -> Generator[Connection[tuple[Any, ...]]]:
    try:
        with psycopg.connect(url, connect_timeout=5, application_name="ledger backup") as connection:
            connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
            connection.set_read_only(True)
            yield connection
    except psycopg.OperationalError as error:
        raise StoreUnavailable(error.sqlstate) from error
    except psycopg.ProgrammingError as error:
        what = f"PostgreSQL lets this role not read everything ({type(error).__name__})"
        raise BackupRefused([f"{what}: it must be ledger_migrate, and all schemas migrated"]) from error


def _sql(name: str, **names: Composable) -> bytes:
    return render(templates("ledger.backup", "rows")[name], names)
