"""A hospital's ledger as PostgreSQL holds it, read whole for checking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg import RawCursor
from psycopg.sql import Identifier

from ledger.trust.verify import Copies, Fault, LedgerWalk, Row, Summary
from ledger.views.statements import render, templates

Connection = psycopg.Connection[tuple[Any, ...]]


def connect(url: str) -> Connection:
    """An autocommitting connection with numbered parameters."""
    return psycopg.Connection.connect(url, autocommit=True, cursor_factory=RawCursor)


def statement(name: str, hospital: str) -> bytes:
    """A statement of checks.sql for one hospital."""
    return render(templates("ledger.cli.demo", "checks")[name], {"schema": Identifier(f"h_{hospital}")})


def read_rows(connection: Connection, hospital: str) -> list[Row]:
    """Every event in order of position, with the columns beside the envelope."""
    found = connection.execute(statement("events", hospital), (), binary=True)
    return [
        Row(position, envelope, body, Copies(stream_id.bytes, version, type_, recorded_at, leaf))
        for position, stream_id, version, type_, recorded_at, envelope, body, leaf in found
    ]


def walk(rows: Iterable[Row]) -> Fault | Summary:
    """The first fault of these rows, or what was checked."""
    ledger = LedgerWalk()
    return ledger.take_all(rows)[1] or ledger.summary()


def change_one_byte(url: str, hospital: str) -> tuple[int, Fault | Summary]:
    """Changes one byte of one stored body behind the ledger's back, looks, and takes the change back.

    The position that was changed, and what the walk over the changed rows found. All in one transaction that is rolled
    back: nobody else ever sees it.
    """
    with connect(url) as connection, connection.transaction(force_rollback=True):
        connection.execute(statement("let_change", hospital))
        position = _one(connection, statement("middle", hospital))
        connection.execute(statement("change_byte", hospital), (position,))
        return position, walk(read_rows(connection, hospital))


def refused_change(url: str, hospital: str) -> str:
    """What PostgreSQL says when the writing role itself tries to change an event; empty where it lets it."""
    with connect(url) as connection:
        try:
            with connection.transaction(force_rollback=True):
                connection.execute(statement("change_byte", hospital), (1,))
        except psycopg.errors.InsufficientPrivilege as error:
            return type(error).__name__
    return ""


def _one(connection: Connection, query: bytes, parameters: Sequence[Any] = ()) -> int:
    row = connection.execute(query, parameters).fetchone()
    return int(row[0]) if row else 0
