"""Events that a view could not handle, and those of the same records that wait behind them."""

from dataclasses import dataclass
from uuid import UUID

from ledger.views.event import ViewEvent
from projections.connections import Connection
from projections.fold import Folded, Poison
from projections.tables import Statements

STOPPED_MAX = 100


class ViewStopped(Exception):
    """Too many records of this view are stopped: a person has to look before it goes on."""

    def __init__(self, view: str, stopped: int) -> None:
        super().__init__(f"view {view} is stopped: {stopped} records could not be handled")
        self.view = view
        self.stopped = stopped


@dataclass(frozen=True, slots=True)
class DeadLetterTable:
    """The dead letters and parked events of one generation of a view."""

    statements: Statements
    view: str
    generation: int
    stopped_max: int = STOPPED_MAX

    async def stopped_streams(self, connection: Connection) -> set[UUID]:
        """The streams that are stopped. ViewStopped where they have become too many."""
        cursor = await connection.execute(self.statements["stopped_streams"], (self.view, self.generation))
        stopped = {row[0] for row in await cursor.fetchall()}
        if len(stopped) >= self.stopped_max:
            raise ViewStopped(self.view, len(stopped))
        return stopped

    async def keep(self, connection: Connection, folded: Folded) -> None:
        """Keeps what a batch could not handle. The limit is looked at before the next batch, so nothing is lost."""
        for poison in folded.poison:
            await self.add(connection, poison)
        for event in folded.parked:
            await self.park(connection, event)

    async def add(self, connection: Connection, poison: Poison) -> None:
        """Keeps one event as a dead letter; its stream is stopped from now on."""
        event = poison.event
        fields = (event.position, event.stream_id, event.version, event.type, poison.error, event.envelope, event.body)
        await connection.execute(self.statements["add_dead_letter"], (self.view, self.generation, *fields))

    async def park(self, connection: Connection, event: ViewEvent) -> None:
        """Keeps an event that has to wait behind a dead letter."""
        fields = (event.position, event.stream_id, event.envelope, event.body)
        await connection.execute(self.statements["park"], (self.view, self.generation, *fields))
