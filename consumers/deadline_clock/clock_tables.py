"""The clock's own tables in a hospital's views schema: what is open, and how far the stream was read."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache
from uuid import UUID

import psycopg
from psycopg.sql import Identifier

from consumers.deadline_clock.records_stream import Place
from consumers.deadline_clock.work import Act, Work
from consumers.patience import ServiceUnavailable
from ledger.lease.lease import Borrow, Connection
from ledger.views.open_deadlines import TABLE
from ledger.views.statements import render, templates, views_schema

Look = tuple[UUID, Act]
"""A record, or after a link a patient, and why it is looked at."""


class Fenced(Exception):
    """Another clock has taken this hospital over."""


class ClockTables:
    """One hospital's tables; whoever holds the newest lease writes, and nobody else. Raises ServiceUnavailable."""

    def __init__(self, hospital: str, borrow: Borrow) -> None:
        self._hospital = hospital
        self._borrow = borrow

    async def prepare(self) -> None:
        """Makes the tables where they are not there."""
        async with self._connection() as connection, connection.transaction():
            await connection.execute(self._sql("lock_creation"), (self._hospital,))
            await connection.execute(self._sql("create"))

    async def places(self) -> dict[int, Place]:
        """How far each partition was read."""
        async with self._connection() as connection:
            rows = await (await connection.execute(self._sql("places"))).fetchall()
        return {partition: Place(topic_id, offset, position) for partition, topic_id, offset, position in rows}

    async def read_again(self, epoch: int) -> None:
        """The next reading begins at the start of every partition and skips what was handled. Raises Fenced."""
        async with self._writing(epoch) as connection:
            await connection.execute(self._sql("read_again"))

    async def write(
        self,
        epoch: int,
        looked: Collection[Look],
        work: Sequence[Work],
        places: Mapping[int, Place] | None = None,
        *,
        other_calendar: bool = False,
    ) -> None:
        """What is open of these records now, and how far the stream was read, at once; all is due by another calendar.

        Raises Fenced.
        """
        async with self._writing(epoch) as connection:
            if looked:
                await connection.execute(
                    self._sql("forget"), ([each for each, _ in looked], [act for _, act in looked])
                )
            if work:
                await connection.execute(self._sql("keep"), _columns(work))
            if other_calendar:
                await connection.execute(self._sql("look_at_all"))
            if places:
                await connection.execute(self._sql("advance"), _place_columns(places))

    async def due(self, now: datetime, rows_max: int) -> list[Look]:
        """What is to be looked at by now, the oldest first."""
        async with self._connection() as connection:
            rows = await (await connection.execute(self._sql("due"), (now, rows_max))).fetchall()
        return list(dict.fromkeys((record_id, Act(act)) for record_id, act in rows))

    async def open(self, rows_max: int) -> list[Work]:
        """What is open, the next first."""
        async with self._connection() as connection:
            rows = await (await connection.execute(self._sql("open"), (rows_max,))).fetchall()
        return [Work(record_id, Act(act), *rest) for record_id, act, *rest in rows]

    @asynccontextmanager
    async def _writing(self, epoch: int) -> AsyncGenerator[Connection]:
        async with self._connection() as connection, connection.transaction():
            fence = await connection.execute(self._sql("fence"), (epoch,))
            if fence.rowcount != 1:
                raise Fenced
            yield connection

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[Connection]:
        try:
            async with self._borrow() as connection:
                yield connection
        except psycopg.Error as error:
            # Whatever ails the database of one hospital must not end the others' clocks.
            raise ServiceUnavailable("the clock's tables", 1, type(error).__name__) from error

    def _sql(self, name: str) -> bytes:
        return _statement(self._hospital, name)


@cache
def _statement(hospital: str, name: str) -> bytes:
    schema = views_schema(hospital)
    tables = {each: Identifier(schema, f"deadline_clock_{each}") for each in ("checkpoints", "holder")}
    tables["work"] = Identifier(schema, TABLE)
    within = {"work_by_time": "deadline_clock_work_by_time", "first_acts": "deadline_clock_work_act_check"}
    names = {**tables, **{name: Identifier(each) for name, each in within.items()}}
    return render(templates("consumers.deadline_clock", "clock_tables")[name], names)


def _columns(
    work: Sequence[Work],
) -> tuple[list[UUID], list[str], list[str], list[str], list[datetime], list[datetime], list[datetime | None]]:
    return (
        [each.record_id for each in work],
        [each.act for each in work],
        [each.rule for each in work],
        [each.subject_id for each in work],
        [each.due_at for each in work],
        [each.act_at for each in work],
        [each.since for each in work],
    )


def _place_columns(places: Mapping[int, Place]) -> tuple[list[int], list[str], list[int], list[int]]:
    return (
        list(places),
        [each.topic_id for each in places.values()],
        [each.next_offset for each in places.values()],
        [each.position for each in places.values()],
    )
