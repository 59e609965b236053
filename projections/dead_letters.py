"""Events that a view could not handle, and those of the same records that wait behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ledger.views.errors import DeadLetterAbsent
from ledger.views.event import ViewEvent, kept_event
from projections.connections import Connection
from projections.fold import Folded, Poison
from projections.tables import Statements

STOPPED_MAX = 100


@dataclass(frozen=True, slots=True)
class DeadLetterTable:
    """The dead letters and parked events of one generation of a view."""

    statements: Statements
    view: str
    generation: int

    async def stopped_streams(self, connection: Connection) -> set[UUID]:
        """The streams that are stopped."""
        cursor = await connection.execute(self.statements["stopped_streams"], (self.view, self.generation))
        return {row[0] for row in await cursor.fetchall()}

    async def keep(self, connection: Connection, folded: Folded) -> None:
        """Keeps what a batch could not handle, and lets go what belongs to a record that it saw destroyed."""
        if folded.destroyed:
            parameters = (self.view, self.generation, list(folded.destroyed))
            for statement in ("note_destroyed", "resolve_destroyed", "unpark_destroyed"):
                await connection.execute(self.statements[statement], parameters)
        for poison in folded.poison:
            await self.add(connection, poison)
        for event in folded.parked:
            fields = (event.position, event.stream_id, event.version, event.envelope, event.body)
            await connection.execute(self.statements["park"], (self.view, self.generation, *fields))

    async def add(self, connection: Connection, poison: Poison) -> None:
        """Keeps one event as a dead letter; its stream is stopped from now on."""
        event = poison.event
        fields = (event.position, event.stream_id, event.version, event.event_type)
        fields += (poison.error, event.envelope, event.body)
        await connection.execute(self.statements["add_dead_letter"], (self.view, self.generation, *fields))

    async def take(self, connection: Connection, position: int) -> ViewEvent:
        """The event of an open dead letter. DeadLetterAbsent where there is none at this position."""
        cursor = await connection.execute(self.statements["dead_letter"], (self.view, self.generation, position))
        row = await cursor.fetchone()
        if row is None:
            raise DeadLetterAbsent(self.view, position)
        return kept_event(*row)

    async def parked_behind(self, connection: Connection, stream_id: UUID) -> Sequence[ViewEvent]:
        """The events of a stream that wait, in order."""
        cursor = await connection.execute(self.statements["parked_behind"], (self.view, self.generation, stream_id))
        return [kept_event(*row) for row in await cursor.fetchall()]

    async def unpark(self, connection: Connection, event: ViewEvent) -> None:
        """The event waits no longer."""
        await connection.execute(self.statements["unpark"], (self.view, self.generation, event.position))

    async def resolve(self, connection: Connection, position: int, resolution: str, reason: str) -> None:
        """Closes a dead letter as `retried` or `skipped`; who failed where stays, what it said goes."""
        await self._note_decision(connection, position, resolution, reason)
        parameters = (self.view, self.generation, position, resolution, reason)
        await connection.execute(self.statements["resolve"], parameters)

    async def fail_again(self, connection: Connection, position: int, error: str, reason: str) -> None:
        """Keeps what a retry ended with."""
        await self._note_decision(connection, position, "failed again", reason)
        parameters = (self.view, self.generation, position, error, reason)
        await connection.execute(self.statements["fail_again"], parameters)

    async def _note_decision(self, connection: Connection, position: int, decision: str, reason: str) -> None:
        """Who asks later, after a rebuild too, finds what was decided and why."""
        parameters = (self.view, self.generation, position, decision, reason)
        await connection.execute(self.statements["note_decision"], parameters)
