"""One range of a stored ledger, read and checked by a process of its own on a snapshot that it shares with others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import IsolationLevel, RawCursor
from psycopg.sql import SQL

from ledger.store.reading import PAGE_BYTES_MAX, ROWS_MAX
from ledger.store.statements import statements
from ledger.trust.range_walk import RangeFound, RangeWalk
from ledger.trust.verify import Copies, Row

EARLIER_ROWS = 50_000
"""Rows of a page where bodies and envelopes are left out."""


@dataclass(frozen=True, slots=True)
class RangeOfRows:
    """Which rows: those above `after`, up to `upto` (None: to the last)."""

    url: str
    hospital: str
    snapshot: str | None
    """That of another connection; None = one of its own."""
    after: int
    upto: int | None


def walk_stored_range(asked: RangeOfRows) -> RangeFound:
    """What the range holds. psycopg.Error where PostgreSQL cannot be asked."""
    walk = RangeWalk(asked.after)
    for page in read_stored_range(asked):
        if walk.take_all(page):
            break
    return walk.found()


def read_stored_range(asked: RangeOfRows) -> Iterator[Iterator[Row]]:
    """Its rows in pages, in one snapshot. psycopg.Error where PostgreSQL cannot be asked."""
    with psycopg.connect(asked.url, cursor_factory=RawCursor, connect_timeout=5) as connection:
        connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        connection.set_read_only(True)
        if asked.snapshot is not None:
            # SET TRANSACTION takes no parameter; the name comes from PostgreSQL itself and is quoted all the same.
            connection.execute(SQL("SET TRANSACTION SNAPSHOT {}").format(asked.snapshot))
        yield from _pages(connection, asked)


def _pages(connection: psycopg.Connection[tuple[Any, ...]], asked: RangeOfRows) -> Iterator[Iterator[Row]]:
    statement, after = statements("reading", asked.hospital)["read_positions"], asked.after
    while asked.upto is None or after < asked.upto:
        limit = ROWS_MAX if asked.upto is None else min(ROWS_MAX, asked.upto - after)
        rows = connection.cursor(binary=True).execute(statement, (after, limit, PAGE_BYTES_MAX)).fetchall()
        if not rows:
            return
        yield (
            Row(position, envelope, body, Copies(stream_id.bytes, version, type_, recorded_at, leaf))
            for position, stream_id, version, type_, recorded_at, envelope, body, leaf, _ in rows
        )
        after = rows[-1][0]
