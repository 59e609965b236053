"""`python -m benchmarks.views`: the views beside the same upserts, built anew, asked and waited for; table and JSON.

`LEDGER_BENCH_EVENTS` events (a million where it is not set) lie in one hospital, ten for each open record; how they are
made `benchmarks.growth.filling` says. Exit status 0 where every target is reached, 1 where one is missed, else 2.
"""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial

from benchmarks.growth.filled import Filled, filled, role
from benchmarks.growth.view_progress import at_head
from benchmarks.load.program import GoMissing, LoadProgram
from benchmarks.pairs import Measured, Pair, Row, in_pairs, not_measured
from benchmarks.report import report
from benchmarks.served import bench_folder
from benchmarks.verdict import Target
from benchmarks.views.asking import QUERIES_PER_SECOND, WAITERS, board_p99, queries_while_waiting
from benchmarks.views.rebuilding import RATE, VIEW, RebuildFailed, Rebuilding
from benchmarks.views.upserts import ViewWork, opened_events
from ledger.cli.bodies import bodies_with_keys
from ledger.config import load
from projections.connections import Pool, connection_pool
from projections.views import ALL

HOSPITAL = "north"
EVENTS = int(os.environ.get("LEDGER_BENCH_EVENTS", "1000000"))
LIFE_EVENTS = 10
UPSERT_EVENTS = min(EVENTS, 20_000)
UPSERTS_MIN = 0.1
"""Upserts for each event below which a view has no work to be compared: these lives hardly touch it."""
DEPARTMENT, DEPARTMENT_ROWS = "D00001", 25
DEPARTMENTS_ASKED = 200
_SAME = "the same upserts by psycopg"
_REBUILD = (f"{VIEW} rebuilt while {RATE} commands/s come", "rebuilt alone", "events/s", Target(0.9))
_SEEN = ("looks that failed or missed a row meanwhile, swap and all", "", "looks", Target(0, at_most=True))
_BOARD = (f"board at {QUERIES_PER_SECOND} queries/s, p99", "", "ms", Target(10, at_most=True))
_WAIT = (f"queries on PostgreSQL while {WAITERS} wait for a position", "", "queries/s", Target(WAITERS, at_most=True))


async def _upsert_rows(on: Filled, pool: Pool) -> list[Row]:
    async with bodies_with_keys(load(on.settings)) as bodies:
        events = await opened_events(bodies.events, bodies.opener, HOSPITAL, UPSERT_EVENTS)
    return [await _upsert_row(ViewWork(pool, HOSPITAL, view, events)) for view in ALL]


async def _upsert_row(work: ViewWork) -> Row:
    name = (f"view {work.view.name}, events in memory", _SAME, "events/s", Target(0.7))
    stored = await work.upserts()
    count = sum(len(columns[0]) for batch in stored for _, columns in batch)
    if count < UPSERTS_MIN * len(work.events):
        return not_measured(*name, f"these lives bring {count} upserts in {len(work.events)} events")
    return Row(*name, await in_pairs(partial(work.bare, stored), work.projected))


async def _asked_rows(on: Filled, program: LoadProgram | None) -> list[Row]:
    if program is None:
        return [not_measured(*row, str(GoMissing.__doc__)) for row in (_BOARD, _REBUILD, _SEEN)]
    departments = [f"D{number:05d}" for number in range(1, DEPARTMENTS_ASKED + 1)]
    board = await in_pairs(None, partial(board_p99, on, program, HOSPITAL, departments))
    rebuilding = Rebuilding(on, program, HOSPITAL, DEPARTMENT, DEPARTMENT_ROWS)
    return [Row(*_BOARD, board), *await _rebuilt_rows(rebuilding)]


async def _rebuilt_rows(rebuilding: Rebuilding) -> list[Row]:
    """One that loses its lease, as on a machine that is far too busy, costs these two rows and no other."""
    try:
        pairs = await in_pairs(rebuilding.alone, rebuilding.with_writers)
    except RebuildFailed as failed:
        return [not_measured(*row, str(failed)) for row in (_REBUILD, _SEEN)]
    seen = tuple(Pair(None, Measured(each.product.beside["wrong looks"]), each.foreign_cores) for each in pairs)
    return [Row(*_REBUILD, pairs), Row(*_SEEN, seen)]


async def _projected_rows(on: Filled, program: LoadProgram | None) -> list[Row]:
    """With the views kept by `ledger project run`, from the events that were filled on."""
    async with bodies_with_keys(load(on.settings)) as bodies:
        head = await bodies.events.head(HOSPITAL)
    await at_head(on.postgres.superuser_url, HOSPITAL, VIEW, head)
    return await _asked_rows(on, program)


async def _before(on: Filled) -> list[Row]:
    async with connection_pool(on.postgres.superuser_url) as pool:
        return await _upsert_rows(on, pool)


async def _waited_row(on: Filled) -> Row:
    pairs = await in_pairs(None, partial(queries_while_waiting, on, HOSPITAL, DEPARTMENT, WAITERS))
    return Row(*_WAIT, pairs)


def _program() -> LoadProgram | None:
    try:
        return LoadProgram()
    except GoMissing:
        return None


def main() -> int:
    """Runs the benchmark."""
    program = _program()
    with bench_folder() as folder, filled(folder, {HOSPITAL: EVENTS}, LIFE_EVENTS) as on:
        rows = asyncio.run(_before(on))
        with role(["project", "run"], folder, on.settings, "project"):
            rows += asyncio.run(_projected_rows(on, program))
        rows.append(asyncio.run(_waited_row(on)))
        version = on.postgres.major
        facts = {"fill_seconds": dict(on.fill_seconds), "open_records": len(on.records[HOSPITAL])}
    return report("views", rows, {"postgresql": version, "events": EVENTS, **facts})


if __name__ == "__main__":
    sys.exit(main())
