"""Reads of a view's live generation, as fresh as the caller asks."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.sql import Composable

from ledger.views.errors import ViewAbsent
from ledger.views.view import View
from projections.connections import Pool, borrowed
from projections.freshness import Freshness
from projections.tables import reading_statements


class ViewReader:
    """Runs a view's named statements."""

    def __init__(self, pool: Pool, freshness: Freshness) -> None:
        self._pool = pool
        self._freshness = freshness

    async def rows(
        self,
        hospital: str,
        view: View,
        statement: str,
        parameters: Sequence[Any],
        min_position: int,
        beside: Mapping[str, Composable] | None = None,
    ) -> list[tuple[Any, ...]]:
        """The rows of a statement after `min_position` is handled. ViewAbsent before the view's first build.

        `beside` are relations of others that the statement names.
        """
        await self._freshness.wait(hospital, view.name, min_position)
        try:
            async with borrowed(self._pool) as connection:
                cursor = await connection.execute(
                    reading_statements(hospital, view, beside or {})[statement], parameters
                )
                return await cursor.fetchall()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            raise ViewAbsent(view.name, hospital) from None
