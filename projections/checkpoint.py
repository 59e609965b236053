"""How far a view has come in each partition, moved in the transaction that holds the rows."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from ledger.views.digest import extend_digest
from ledger.views.event import ViewEvent
from projections.connections import Connection
from projections.tables import Statements


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What of one partition is handled. `position` is that of the last event, `digest` runs over all of them."""

    partition: int
    position: int
    next_offset: int
    topic_id: str
    events: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Delivered:
    """An event as the published stream delivers it."""

    partition: int
    next_offset: int
    topic_id: str
    event: ViewEvent


class Fenced(Exception):
    """Somebody else handles this view now: a checkpoint was not the one that was left behind."""

    def __init__(self) -> None:
        super().__init__(Fenced.__doc__)


def moved(checkpoints: dict[int, Checkpoint], batch: Iterable[Delivered]) -> dict[int, Checkpoint]:
    """The checkpoints of the partitions in the batch, after it."""
    parts: defaultdict[int, list[Delivered]] = defaultdict(list)
    for item in batch:
        parts[item.partition].append(item)
    return {partition: _after(checkpoints[partition], items) for partition, items in parts.items()}


def _after(before: Checkpoint, items: list[Delivered]) -> Checkpoint:
    digest = before.digest
    for item in items:
        digest = extend_digest(digest, item.event.position, item.event.leaf)
    last = items[-1]
    return Checkpoint(
        partition=before.partition,
        position=last.event.position,
        next_offset=last.next_offset,
        topic_id=last.topic_id,
        events=before.events + len(items),
        digest=digest,
    )


@dataclass(frozen=True, slots=True)
class CheckpointTable:
    """The checkpoints of one generation of a view, fenced by the lease's epoch."""

    statements: Statements
    view: str
    generation: int

    async def take_over(self, connection: Connection, epoch: int) -> dict[int, Checkpoint]:
        """Puts this epoch on every checkpoint and reads them. Fenced where a later epoch is there."""
        cursor = await connection.execute(self.statements["take_over"], (self.view, self.generation, epoch))
        rows = await cursor.fetchall()
        if not rows:
            raise Fenced
        return {row[0]: Checkpoint(*row) for row in rows}

    async def read(self, connection: Connection) -> dict[int, Checkpoint]:
        """The checkpoints by partition, as they stand."""
        cursor = await connection.execute(self.statements["checkpoints"], (self.view, self.generation))
        return {row[0]: Checkpoint(*row) for row in await cursor.fetchall()}

    async def advance(
        self, connection: Connection, epoch: int, before: dict[int, Checkpoint], after: dict[int, Checkpoint]
    ) -> None:
        """Moves them. Fenced where one is not at its old position, or is another epoch's."""
        news = list(after.values())
        columns = (
            [new.partition for new in news],
            [before[new.partition].position for new in news],
            [new.position for new in news],
            [new.next_offset for new in news],
            [new.topic_id for new in news],
            [new.events for new in news],
            [new.digest for new in news],
        )
        parameters = (self.view, self.generation, epoch, *columns)
        cursor = await connection.execute(self.statements["advance"], parameters)
        if cursor.rowcount != len(news):
            raise Fenced
