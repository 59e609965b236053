"""A view's own work beside the rows that come of it: the same upserts, sent by psycopg and nothing else."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from benchmarks.pairs import Measured
from ledger.store.reading import EventReader
from ledger.trust.sealing import Opener
from ledger.views.event import ViewEvent
from ledger.views.view import View
from projections.checkpoint import Delivered
from projections.connections import Connection, Pool
from projections.fold import fold, plan
from projections.generation import add_building, discard, prepare
from projections.projector import BATCH_MAX, Projector
from projections.rows import RowTables

_EPOCH = 1
_PARTITION = 0

Upsert = tuple[bytes, list[list[Any]]]
"""A statement and its columns."""


async def opened_events(reader: EventReader, opener: Opener, hospital: str, count: int) -> list[ViewEvent]:
    """The first so many events of a hospital, their bodies opened."""
    events: list[ViewEvent] = []
    while len(events) < count:
        rows = await reader.read_positions(hospital, len(events), min(BATCH_MAX, count - len(events)))
        openings = await opener.open([(row.envelope, row.body) for row in rows])
        for row, opening in zip(rows, openings, strict=True):
            events.append(
                ViewEvent(
                    row.position, row.stream_id, row.version, row.type, row.recorded_at, row.leaf_hash, row.envelope,
                    row.body, opening,
                )
            )  # fmt: skip
    return events


@dataclass(frozen=True)
class ViewWork:
    """One view of one hospital, built from events that are in memory."""

    pool: Pool
    hospital: str
    view: View
    events: Sequence[ViewEvent]

    async def projected(self) -> Measured:
        """Events a second through the projector: decoded, folded, stored, checkpoint moved, 500 in a transaction."""
        # Fresh events: what one turn has decoded must not spare the next one the work.
        batches = _batches([replace(each) for each in self.events])
        async with self.pool.connection() as connection:
            number = await self._begun(connection)
            projector = Projector(self.hospital, self.view, number, _EPOCH)
            await projector.take_over(connection)
            began, cpu = time.perf_counter(), time.process_time()
            for batch in batches:
                await projector.handle(connection, batch)
            elapsed, used = time.perf_counter() - began, time.process_time() - cpu
            await discard(connection, self.hospital, self.view, number)
        return Measured(len(self.events) / elapsed, used * 1e6 / len(self.events))

    async def upserts(self) -> list[list[Upsert]]:
        """What the view stores of each batch."""
        async with self.pool.connection() as connection:
            number = await self._begun(connection)
            rows, stored = RowTables(self.hospital, self.view, number), list[list[Upsert]]()
            for batch in _batches(self.events):
                planned = plan(self.view, [each.event for each in batch])
                folded = fold(self.view, planned, await rows.load(connection, planned))
                kept = _Kept()
                await rows.store(cast("Connection", kept), folded)
                await rows.store(connection, folded)
                stored.append([(_of_generation(each, number, 0), columns) for each, columns in kept.upserts])
            await discard(connection, self.hospital, self.view, number)
        return stored

    async def bare(self, stored: Sequence[Sequence[Upsert]]) -> Measured:
        """Events a second of the same upserts, 500 events in a transaction."""
        async with self.pool.connection() as connection:
            number = await self._begun(connection)
            placed = [[(_of_generation(each, 0, number), columns) for each, columns in batch] for batch in stored]
            began = time.perf_counter()
            for batch in placed:
                async with connection.transaction():
                    for statement, columns in batch:
                        await connection.execute(statement, columns)
            elapsed = time.perf_counter() - began
            await discard(connection, self.hospital, self.view, number)
        return Measured(len(self.events) / elapsed)

    async def _begun(self, connection: Connection) -> int:
        await prepare(connection, self.hospital)
        return (await add_building(connection, self.hospital, self.view, 1)).number


class _Kept:
    """Stands where a connection is expected and keeps what it is told to execute."""

    def __init__(self) -> None:
        self.upserts: list[Upsert] = []

    async def execute(self, statement: bytes, columns: list[list[Any]]) -> None:
        self.upserts.append((statement, columns))


def _batches(events: Sequence[ViewEvent]) -> list[list[Delivered]]:
    delivered = [Delivered(_PARTITION, each.position, "bench", each) for each in events]
    return [delivered[at : at + BATCH_MAX] for at in range(0, len(delivered), BATCH_MAX)]


def _of_generation(statement: bytes, old: int, new: int) -> bytes:
    return statement.replace(b"_g%d_" % old, b"_g%d_" % new)
