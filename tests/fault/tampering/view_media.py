"""Rows of views: compared with those of a rebuild, and healed by it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from ledger.cli.bodies import bodies_with_keys
from ledger.cli.feeds import view_tools
from ledger.lease import Leases
from ledger.views.view import View
from projections.comparison import Compared, compare
from projections.connections import connection_pool
from projections.digests import ContentDigest, content_digest
from projections.generation import serving
from projections.rebuild import rebuild
from projections.session import Tools
from projections.tables import generation_name
from projections.views import ALL
from tests.fault.tampering.building import HOSPITAL
from tests.fault.tampering.changes import Change, flipped
from tests.fault.tampering.medium import Found, Medium, Tampering
from tests.fault.tampering.owned_table import Row, from_bytes, to_bytes
from tests.fault.tampering.stored_state import PARTITIONS, Stored

VIEWS_TRIED = 2


@dataclass
class ViewRows:
    """The rows of generated views. A check compares, builds anew, and demands that the rows are as before."""

    stored: Stored

    def __post_init__(self) -> None:
        self._before = {view.name: self._digest(view) for view in ALL}
        self._touched: tuple[str, ...] = ()

    def tamperings(self, change: Change, dice: Random) -> Iterator[Tampering]:
        """As Medium says, in views with at least two rows."""
        if change is Change.REPLAY:
            yield from self._replays(dice)
            return
        large = [view for view in ALL if self._before[view.name].rows > 1]
        for view in dice.sample(large, min(VIEWS_TRIED, len(large))):
            yield Tampering((view.name,), lambda view=view: self._with(view, change, dice))

    @contextmanager
    def _with(self, view: View, change: Change, dice: Random) -> Generator[None]:
        self._touched = (view.name,)
        _change(self.stored.database.url, asyncio.run(self._table(view)), change, dice)
        yield

    def _replays(self, dice: Random) -> Iterator[Tampering]:
        """A row that has changed since the earlier moment, as it was then."""
        changed: list[tuple[View, sql.Composable, Row, Row]] = []
        for view in ALL:
            for name, table in asyncio.run(self._tables(view)).items():
                of_then = self.stored.older_views[view.name, name]
                pairs = _changed_since(self.stored.database.url, table, of_then)
                changed += [(view, table, now, then) for now, then in pairs]
        assert changed, "no row has changed"
        for view, table, now, then in dice.sample(changed, min(VIEWS_TRIED, len(changed))):
            yield Tampering(
                (view.name,), lambda view=view, table=table, row=(now, then): self._older(view, table, *row)
            )

    @contextmanager
    def _older(self, view: View, table: sql.Composable, now: Row, then: Row) -> Generator[None]:
        self._touched = (view.name,)
        with psycopg.connect(self.stored.database.url) as connection:
            connection.execute(sql.SQL("DELETE FROM {} WHERE ctid = %s::tid").format(table), (now["at"],))
            columns, values = (
                sql.SQL(", ").join(map(sql.Identifier, then)),
                sql.SQL(", ").join(map(sql.Literal, then.values())),
            )
            connection.execute(sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(table, columns, values))
        yield

    async def _table(self, view: View) -> sql.Composable:
        """The largest table of the generation that readers see."""
        tables = (await self._tables(view)).values()
        with psycopg.connect(self.stored.database.url) as connection:
            return max(tables, key=lambda table: _rows_in(connection, table))

    async def _tables(self, view: View) -> dict[str, sql.Composable]:
        """By name those of the generation that readers see."""
        async with connection_pool(self.stored.settings.postgres_views_url) as pool, pool.connection() as connection:
            live = await serving(connection, HOSPITAL, view)
        assert live is not None
        return {each.name: generation_name(HOSPITAL, view, live.number, each.name) for each in view.tables}

    def check(self) -> Found:
        """Found where the rows differ from those of a build from the first event; healed once that is shown."""
        different: list[str] = []
        for view in [each for each in ALL if each.name in self._touched]:
            found = asyncio.run(self._compared(view))
            changed = self._digest(view) != self._before[view.name]
            assert bool(found.differences) is changed, f"{view.name}: compared {found}"
            asyncio.run(self._rebuilt(view))
            assert self._digest(view) == self._before[view.name], f"{view.name} is not healed"
            different += [f"{view.name}: table {each.table}" for each in found.differences]
        self._touched = ()
        return Found(accepted=not different, says="; ".join(different))

    def places(self, name: str) -> Sequence[str]:
        """As Medium says."""
        return (f"{name}:",)

    def says_no_more(self, before: Found, after: Found) -> bool:
        """As Medium says."""
        return before.says == after.says

    def _digest(self, view: View) -> ContentDigest:
        async def asked() -> ContentDigest:
            async with connection_pool(self.stored.settings.postgres_views_url) as pool:
                return await content_digest(pool, HOSPITAL, view)

        return asyncio.run(asked())

    async def _compared(self, view: View) -> Compared:
        async with self._tools() as tools:
            return await compare(tools, HOSPITAL, PARTITIONS, view)

    async def _rebuilt(self, view: View) -> None:
        async with self._tools() as tools:
            await rebuild(tools, HOSPITAL, PARTITIONS, view)

    @asynccontextmanager
    async def _tools(self) -> AsyncGenerator[Tools]:
        settings = self.stored.settings
        async with bodies_with_keys(settings) as bodies, connection_pool(settings.postgres_views_url) as pool:
            yield view_tools(settings, pool, Leases(pool.connection), bodies.opener)


def view_media(stored: Stored) -> dict[str, Medium]:
    """The media by their name in the declaration."""
    return {"view": ViewRows(stored)}


def _rows_in(connection: psycopg.Connection[Any], table: sql.Composable) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone()
    return row[0] if row else 0


def _changed_since(url: str, table: sql.Composable, of_then: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Rows as they stand, `at` their place, each with what it was then."""
    with psycopg.connect(url) as connection, connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(sql.SQL("SELECT ctid::text AS at, * FROM {}").format(table)).fetchall()
        key = """SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
            WHERE indisprimary AND indrelid = %s::regclass"""
        columns = [row["attname"] for row in cursor.execute(key, (table.as_string(connection),)).fetchall()]
    then = {tuple(row[each] for each in columns): row for row in of_then} if columns else {}
    pairs = [(row, then.get(tuple(row[each] for each in columns))) for row in rows]
    return [(now, old) for now, old in pairs if old is not None and any(now[name] != old[name] for name in old)]


def _change(url: str, table: sql.Composable, change: Change, dice: Random) -> None:
    with psycopg.connect(url) as connection, connection.cursor(row_factory=dict_row) as cursor:
        if change is Change.TRUNCATE:
            connection.execute(sql.SQL("TRUNCATE {}").format(table))
            return
        rows = cursor.execute(sql.SQL("SELECT ctid::text AS at, * FROM {}").format(table)).fetchall()
        one, two = dice.sample(rows, 2)
        if change is Change.DELETE:
            connection.execute(sql.SQL("DELETE FROM {} WHERE ctid = %s::tid").format(table), (one["at"],))
            return
        columns = [name for name in one if name != "at" and to_bytes(one[name]) and to_bytes(two[name])]
        if change is Change.SWAP:
            column = next(name for name in columns if one[name] != two[name])
            new = ((one, two[column]), (two, one[column]))
        else:
            column = dice.choice(columns)
            new = ((one, from_bytes(flipped(to_bytes(one[column]), dice), one[column])),)
        for row, value in new:
            update = sql.SQL("UPDATE {} SET {} = %s WHERE ctid = %s::tid").format(table, sql.Identifier(column))
            connection.execute(update, (value, row["at"]))
