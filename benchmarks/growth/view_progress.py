"""How far a view has come, asked of PostgreSQL."""

from __future__ import annotations

import asyncio
import time

import psycopg
from psycopg import sql

from ledger.views.statements import views_schema

_SECONDS_MAX = 4 * 3600
_LOOK_SECONDS = 0.5
_STALL_SECONDS_MAX = 120.0
_EVENTS = """
SELECT coalesce(sum(c.events), 0)::bigint FROM {generations} AS g JOIN {checkpoints} AS c USING (view, generation)
WHERE g.view = %s AND g.state <> 'building'
"""


class ViewStalled(Exception):
    """A view did not come to the head, or did not move for two minutes."""


async def at_head(url: str, hospital: str, view: str, head: int) -> None:
    """Returns when the view has handled so many events. Raises ViewStalled."""
    end, moved, before = time.monotonic() + _SECONDS_MAX, time.monotonic(), -1
    while (events := await asyncio.to_thread(handled, url, hospital, view)) < head:
        now = time.monotonic()
        if events > before:
            moved, before = now, events
        if now > end or now - moved > _STALL_SECONDS_MAX:
            raise ViewStalled(f"{view} of {hospital}: {events} of {head}")
        await asyncio.sleep(_LOOK_SECONDS)


def handled(url: str, hospital: str, view: str) -> int:
    """Events; 0 where the view was never begun."""
    names = {each: sql.Identifier(views_schema(hospital), each) for each in ("generations", "checkpoints")}
    with psycopg.connect(url, autocommit=True) as connection:
        try:
            row = connection.execute(sql.SQL(_EVENTS).format(**names), (view,)).fetchone()
        except psycopg.errors.UndefinedTable:
            return 0
    return row[0] if row else 0
