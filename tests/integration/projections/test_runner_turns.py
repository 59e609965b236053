"""Places for sessions are few: those that fail do not keep them from the others."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import psycopg
from psycopg.sql import SQL, Identifier

from ledger.store.hospitals import add_hospital
from ledger.stream.contract import StreamUnavailable
from projections.checkpoint import Checkpoint
from projections.department_board.view import DepartmentBoard
from projections.feed import Feed
from projections.hints import HeadHints
from projections.run import Runner
from tests.contract.views import histories as h
from tests.contract.views.ground import PARTITIONS, PASSWORDS, Ground
from tests.contract.views.running import freshness, tools


async def test_views_that_fail_leave_their_place_to_those_that_wait(ground: Ground) -> None:
    """One place, and a hospital before it whose stream cannot be read: the other one is followed all the same."""
    await add_behind(ground, "a-first")

    async def open_feed(hospital: str, partitions: int, checkpoints: Mapping[int, Checkpoint]) -> Feed:
        if hospital == "a-first":
            raise StreamUnavailable("topic cannot be read")
        return await ground.open_feed(hospital, partitions, checkpoints)

    head = ground.append([h.EventStream().seal(h.registered())])
    stop, ready = asyncio.Event(), asyncio.Event()
    runner = Runner(replace(tools(ground), open_feed=open_feed), [DepartmentBoard()], HeadHints(), sessions_max=1)
    task = asyncio.create_task(runner.run(stop, ready))
    try:
        await freshness(ground).wait("north", "department_board", head)
    finally:
        stop.set()
        await task


async def add_behind(ground: Ground, hospital: str) -> None:
    """A hospital whose head has moved."""
    url = ground.database.url_for("ledger_migrate", PASSWORDS["ledger_migrate"])
    await add_hospital(url, hospital, origin_prefix="ledger.test", partitions=PARTITIONS)
    with psycopg.connect(ground.database.url) as connection:
        connection.execute(SQL("UPDATE {} SET position = 5").format(Identifier(f"h_{hospital}", "head")))
