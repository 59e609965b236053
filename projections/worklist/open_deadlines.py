"""What is due, from the deadline clock's own table: views have no rule packs and cannot compute a deadline."""

from typing import LiteralString, cast

from psycopg.sql import SQL, Composable, Identifier

from ledger.views.open_deadlines import TABLE
from ledger.views.statements import templates, views_schema
from projections.connections import Pool, borrowed


class OpenDeadlines:
    """The clock's table where there is one."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._texts = templates("projections.worklist", "open_deadlines")

    async def known(self, hospital: str) -> bool:
        """Whether a deadline clock has run for this hospital."""
        async with borrowed(self._pool) as connection:
            cursor = await connection.execute(self._texts["known"].encode(), (views_schema(hospital), TABLE))
            row = await cursor.fetchone()
        return bool(row and row[0])

    def relation(self, hospital: str, *, known: bool) -> Composable:
        """Open deadlines as a relation, empty where nothing is known of them."""
        text = SQL(cast("LiteralString", self._texts["open" if known else "none"]))
        return text.format(work=Identifier(views_schema(hospital), TABLE)) if known else text
