"""One generation of one view of one hospital: takes batches of events into rows, checkpoint and rows as one."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import psycopg

from ledger.views.event import ViewEvent
from ledger.views.view import Row, RowKey, Table, View
from projections.checkpoint import Checkpoint, CheckpointTable, Delivered, Fenced, moved
from projections.connections import Connection
from projections.dead_letters import DeadLetterTable
from projections.fold import Folded, Planned, Poison, fold, plan
from projections.tables import shared_statements, writing_statements

BATCH_MAX = 500


class Projector:
    """Handles batches under one epoch; `checkpoints` is what it has committed.

    A data error of PostgreSQL is looked for event by event, so that it becomes the poison of one record.
    """

    def __init__(self, hospital: str, view: View, generation: int, epoch: int, stopped_max: int) -> None:
        self.view = view
        self.generation = generation
        self.checkpoints: dict[int, Checkpoint] = {}
        self._epoch = epoch
        self._shared = shared_statements(hospital)
        self._rows = RowTables(hospital, view, generation)
        self._table = CheckpointTable(self._shared, view.name, generation)
        self._dead = DeadLetterTable(self._shared, view.name, generation, stopped_max)

    async def take_over(self, connection: Connection) -> None:
        """Makes this projector the only one that can commit. Fenced where a later one has."""
        self.checkpoints = await self._table.take_over(connection, self._epoch)

    async def handle(self, connection: Connection, batch: Sequence[Delivered]) -> None:
        """Commits a batch of at most 500 events with its checkpoints. Fenced or ViewStopped: nothing was committed."""
        try:
            await self._commit(connection, batch, poison="")
        except (psycopg.DataError, psycopg.IntegrityError):
            for item in batch:
                await self._handle_alone(connection, item)

    async def _handle_alone(self, connection: Connection, item: Delivered) -> None:
        try:
            await self._commit(connection, (item,), poison="")
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            await self._commit(connection, (item,), poison=type(error).__name__)

    async def _commit(self, connection: Connection, batch: Sequence[Delivered], poison: str) -> None:
        after = moved(self.checkpoints, batch)
        events = [item.event for item in batch]
        async with connection.transaction():
            await self._lock(connection)
            stopped = await self._dead.stopped_streams(connection)
            folded = (
                Folded(poison=[Poison(events[0], poison)]) if poison else await self._fold(connection, events, stopped)
            )
            await self._rows.store(connection, folded.changed)
            await self._dead.keep(connection, folded)
            await self._table.advance(connection, self._epoch, self.checkpoints, after)
        self.checkpoints |= after

    async def _lock(self, connection: Connection) -> None:
        parameters = (self.view.name, self.generation)
        row = await (await connection.execute(self._shared["lock_generation"], parameters)).fetchone()
        if row is None:
            raise Fenced

    async def _fold(self, connection: Connection, events: Iterable[ViewEvent], stopped: set[Any]) -> Folded:
        planned = plan(self.view, events)
        return fold(self.view, planned, await self._rows.load(connection, planned), stopped)


class RowTables:
    """The rows of one generation, loaded and stored in sets."""

    def __init__(self, hospital: str, view: View, generation: int) -> None:
        self._statements = writing_statements(hospital, view, generation)
        self._tables: dict[str, Table] = {table.name: table for table in view.tables}

    async def load(self, connection: Connection, planned: Iterable[Planned]) -> dict[RowKey, Row]:
        """Those rows that the planned events need and that exist."""
        wanted = {key for item in planned for key in item.keys}
        rows: dict[RowKey, Row] = {}
        for name, keys in _by_table(wanted):
            columns = [list(column) for column in zip(*(key.key for key in keys), strict=True)]
            cursor = await connection.execute(self._statements[f"load_{name}"], columns)
            table = self._tables[name]
            for values in await cursor.fetchall():
                rows[RowKey(name, values[: table.key_columns])] = table.row(*values)
        return rows

    async def store(self, connection: Connection, changed: dict[RowKey, Row]) -> None:
        """Writes whole rows, new ones and others."""
        for name, keys in _by_table(changed):
            columns = [list(column) for column in zip(*(changed[key] for key in keys), strict=True)]
            await connection.execute(self._statements[f"store_{name}"], columns)


def _by_table(keys: Iterable[RowKey]) -> Iterable[tuple[str, list[RowKey]]]:
    ordered = sorted(keys)  # one order for all writers, so that they cannot block each other crosswise
    return [(name, list(group)) for name, group in groupby(ordered, key=lambda key: key.table)]
