"""One generation of one view of one hospital: takes batches of events into rows, checkpoint and rows as one."""

from collections.abc import Sequence

from ledger.views.event import ViewEvent
from ledger.views.view import View
from projections.checkpoint import Checkpoint, CheckpointTable, Delivered, Fenced, moved
from projections.connections import Connection
from projections.dead_letters import STOPPED_MAX, DeadLetterTable
from projections.fold import Folded, Poison, fold, plan
from projections.rows import ROW_REFUSED, RowTables
from projections.tables import shared_statements

BATCH_MAX = 500


class ViewStopped(Exception):
    """Too many records of this view are stopped: a person has to look before it goes on."""

    def __init__(self, view: str) -> None:
        super().__init__(f"view {view} is stopped: too many of its records could not be handled")
        self.view = view


class Projector:
    """Handles batches under one epoch; `checkpoints` is what it has committed.

    A data error of PostgreSQL is looked for event by event, so that it becomes the poison of one record.
    """

    def __init__(
        self,
        hospital: str,
        view: View,
        generation: int,
        epoch: int,
        stopped_max: int = STOPPED_MAX,
        *,
        building: bool = False,
    ) -> None:
        """`building`: the generation is not shown yet, and once it is, it is no longer this projector's."""
        self.view = view
        self.generation = generation
        self.epoch = epoch
        self.checkpoints: dict[int, Checkpoint] = {}
        self._building = building
        self._stopped_max = stopped_max
        self._shared = shared_statements(hospital)
        self._rows = RowTables(hospital, view, generation)
        self._checkpoints = CheckpointTable(self._shared, view.name, generation)
        self._dead = DeadLetterTable(self._shared, view.name, generation)

    @property
    def events(self) -> int:
        """Events handled in all partitions; equal to the head's position where nothing is left to do."""
        return sum(checkpoint.events for checkpoint in self.checkpoints.values())

    async def take_over(self, connection: Connection) -> None:
        """Makes this projector the only one that can commit. Fenced where a later one has."""
        if not self._building:
            self.checkpoints = await self._checkpoints.take_over(connection, self.epoch)
            return
        async with connection.transaction():
            # Once it is shown its epochs are those of another lease, which ours must not be put over.
            await self._lock(connection)
            self.checkpoints = await self._checkpoints.take_over(connection, self.epoch)

    async def handle(self, connection: Connection, batch: Sequence[Delivered]) -> None:
        """Commits a batch of at most 500 events with its checkpoints. Fenced or ViewStopped: nothing was committed."""
        try:
            await self._commit(connection, batch)
        except ROW_REFUSED:
            for item in batch:
                await self._handle_alone(connection, item)

    async def _handle_alone(self, connection: Connection, item: Delivered) -> None:
        try:
            await self._commit(connection, (item,))
        except ROW_REFUSED as error:
            await self._commit(connection, (item,), poison=type(error).__name__)

    async def _commit(self, connection: Connection, batch: Sequence[Delivered], poison: str = "") -> None:
        after = moved(self.checkpoints, batch)
        events = [item.event for item in batch]
        async with connection.transaction():
            state = await self._lock(connection)
            if poison:
                folded = Folded(poison=[Poison(events[0], poison)])
            else:
                folded = await self._fold(connection, events)
            await self._rows.store(connection, folded)
            await self._keep_unhandled(connection, folded, state)
            await self._checkpoints.advance(connection, self.epoch, self.checkpoints, after)
        self.checkpoints |= after

    async def _lock(self, connection: Connection) -> str:
        parameters = (self.view.name, self.generation)
        row = await (await connection.execute(self._shared["lock_generation"], parameters)).fetchone()
        if row is None or (self._building and row[0] != "building"):
            raise Fenced
        if row[0] == "stopped":
            raise ViewStopped(self.view.name)
        return row[0]

    async def _fold(self, connection: Connection, events: Sequence[ViewEvent]) -> Folded:
        stopped = await self._dead.stopped_streams(connection)
        planned = plan(self.view, events)
        return fold(self.view, planned, await self._rows.load(connection, planned), stopped)

    async def _keep_unhandled(self, connection: Connection, folded: Folded, state: str) -> None:
        await self._dead.keep(connection, folded)
        if not folded.poison or len(await self._dead.stopped_streams(connection)) < self._stopped_max:
            return
        if state == "building":
            raise ViewStopped(self.view.name)
        await connection.execute(self._shared["set_state"], (self.view.name, self.generation, "stopped"))
