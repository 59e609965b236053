"""Fills the clock's own table with open deadlines, some of them due."""

from __future__ import annotations

from datetime import datetime

from psycopg.sql import Identifier

from ledger.views.statements import render, templates, views_schema
from projections.connections import Connection


async def fill(connection: Connection, hospital: str, count: int, due: int, now: datetime) -> None:
    """`count` open deadlines, of which `due` are due; whatever was there is gone."""
    names = {"work": Identifier(views_schema(hospital), "deadline_clock_work")}
    statements = {
        name: render(text, names) for name, text in templates("benchmarks.deadlines", "open_deadlines").items()
    }
    await connection.execute(statements["empty"])
    await connection.execute(statements["fill"], (count, due, now))
    await connection.execute(statements["settle"])
