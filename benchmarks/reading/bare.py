"""The baselines: psycopg's C build, prepared statements, binary results, and nothing of the product."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Sequence
from uuid import UUID

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor, RawCursor, sql

from benchmarks.ground import HOSPITAL
from benchmarks.pairs import Measured
from ledger.store.statements import schema_of
from ledger.trust.envelope import decode
from ledger.views.statements import render, templates

_STATEMENTS = {
    name: render(text, {"schema": sql.Identifier(schema_of(HOSPITAL))})
    for name, text in templates("benchmarks.reading", "statements").items()
}


async def record(url: str, record_id: UUID, looks: int) -> Measured:
    """Milliseconds for all events of a record, the median of several looks."""
    return Measured(await asyncio.to_thread(_record_ms, url, record_id, looks))


def _record_ms(url: str, record_id: UUID, looks: int) -> float:
    with psycopg.connect(url, autocommit=True, cursor_factory=RawCursor, prepare_threshold=0) as connection:
        spent: list[float] = []
        for _ in range(looks):
            began = time.perf_counter()
            connection.cursor(binary=True).execute(_STATEMENTS["record"], (record_id,)).fetchall()
            spent.append((time.perf_counter() - began) * 1000)
        return statistics.median(spent)


async def few(url: str, records: Sequence[UUID], clients: int, seconds: float) -> Measured:
    """Reads a second of 20 events by so many clients, each with a connection of its own."""
    turn = itertools.cycle(records)
    end = time.perf_counter() + seconds

    async def client() -> int:
        done = 0
        async with await AsyncConnection.connect(
            url, autocommit=True, cursor_factory=AsyncRawCursor, prepare_threshold=0
        ) as connection:
            while time.perf_counter() < end:
                await (await connection.cursor(binary=True).execute(_STATEMENTS["few"], (next(turn),))).fetchall()
                done += 1
        return done

    return Measured(sum(await asyncio.gather(*(client() for _ in range(clients)))) / seconds)


async def replay(url: str) -> Measured:
    """Events a second: every row, every envelope decoded."""
    return Measured(await asyncio.to_thread(_replay_rate, url))


def _replay_rate(url: str) -> float:
    began, position, events = time.perf_counter(), 0, 0
    with psycopg.connect(url, autocommit=True, cursor_factory=RawCursor, prepare_threshold=0) as connection:
        while rows := connection.cursor(binary=True).execute(_STATEMENTS["batch"], (position,)).fetchall():
            for _, envelope, _ in rows:
                decode(envelope)
            position, events = rows[-1][0], events + len(rows)
    return events / (time.perf_counter() - began)
