"""A migrated ledger with hospital `north`, and the runner of the views on it, fed from the events table itself."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
from psycopg import sql

from ledger.store.hospitals import add_hospital
from ledger.store.migrate import migrate
from ledger.store.roles import LOGIN_ROLES
from ledger.stream.partition import partition_of
from projections.checkpoint import Checkpoint, Delivered
from projections.connections import Pool, connection_pool
from tests.contract.views.histories import Sealed
from tests.services.postgres import Database
from tests.services.sealed import opened_event

PASSWORDS = {role: f"{role}-secret" for role in LOGIN_ROLES}
PARTITIONS = 6
"""As `ledger up` and the demo have them."""

_INSERT = sql.SQL(
    """INSERT INTO {schema}.events (position, stream_id, version, type, recorded_at, envelope, body, leaf_hash)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"""
)
_MOVE_HEAD = sql.SQL("UPDATE {schema}.head SET position = %s")


@dataclass
class Ground:
    """Appends events as the store would and reads them back as a feed; `pool` has the role of the views."""

    database: Database
    pool: Pool
    head: int = 0
    hospital: str = "north"
    partitions: int = PARTITIONS
    appended: list[Sealed] = field(default_factory=list[Sealed])

    def append(self, events: Iterable[Sealed]) -> int:
        """Appends and gives the head."""
        names = {"schema": sql.Identifier(f"h_{self.hospital}")}
        with psycopg.connect(self.database.url) as connection, connection.cursor() as cursor:
            new = list(events)
            positions = range(self.head + 1, self.head + 1 + len(new))
            rows = [(position, *_columns(event)) for position, event in zip(positions, new, strict=True)]
            cursor.executemany(_INSERT.format(**names), rows)
            cursor.execute(_MOVE_HEAD.format(**names), (self.head + len(new),))
        self.appended += new
        self.head += len(new)
        return self.head

    def delivered(self, after: Mapping[int, int], partition: int) -> list[Delivered]:
        """What one partition holds above a position."""
        found: list[Delivered] = []
        for position, event in enumerate(self.appended, 1):
            if partition_of(event.stream_id.bytes, self.partitions) == partition and position > after.get(partition, 0):
                found.append(Delivered(partition, position, "t1", opened_event(position, event.envelope, event.body)))
        return found

    async def stream_at(self, hospital: str, position: int) -> tuple[UUID, int] | None:
        assert hospital == self.hospital
        if not 1 <= position <= self.head:
            return None
        event = self.appended[position - 1]
        return event.stream_id, event.version

    async def streams_between(self, hospital: str, after: int, through: int) -> list[UUID]:
        assert hospital == self.hospital
        # A page of three, so that whoever reads on is seen to.
        return [each.stream_id for each in self.appended[after : min(through, after + 3)]]

    async def open_feed(self, hospital: str, partitions: int, checkpoints: Mapping[int, Checkpoint]) -> "TableFeed":
        assert hospital == self.hospital
        assert partitions == self.partitions
        return TableFeed(self, {number: found.position for number, found in checkpoints.items()})

    async def acquire(self, hospital: str, role: str) -> "Lease":
        del hospital, role
        return Lease(next(_epochs))


def _columns(event: Sealed) -> tuple[UUID, int, str, int, bytes, bytes, bytes]:
    return event.stream_id, event.version, event.type, event.recorded_at, event.envelope, event.body, event.leaf


_epochs = iter(range(1, 1_000_000))


@dataclass
class Lease:
    """A lease of which every epoch is free; what fences here is the checkpoint."""

    epoch: int

    async def renew(self) -> bool:
        return True

    async def release(self) -> None:
        return None


@dataclass
class TableFeed:
    """Delivers what `append` has written, partition after partition."""

    ground: Ground
    after: dict[int, int]

    async def poll(self, timeout_s: float, events_max: int) -> Sequence[Delivered]:
        for partition in range(self.ground.partitions):
            found = self.ground.delivered(self.after, partition)[:events_max]
            if found:
                self.after[partition] = found[-1].event.position
                return found
        await asyncio.sleep(min(timeout_s, 0.02))
        return ()

    @property
    def at_rest(self) -> bool:
        return not any(self.ground.delivered(self.after, each) for each in range(self.ground.partitions))

    async def close(self) -> None:
        return None


@asynccontextmanager
async def opened_ground(
    database: Database, hospital: str = "north", partitions: int = PARTITIONS
) -> AsyncGenerator[Ground, None]:
    """A migrated ledger, its pool closed afterwards."""
    if not database.migrated:
        await migrate(database.url, passwords=PASSWORDS)
    migrate_url = database.url_for("ledger_migrate", PASSWORDS["ledger_migrate"])
    await add_hospital(migrate_url, hospital, origin_prefix="ledger.test", partitions=partitions)
    async with connection_pool(database.url_for("ledger_views", PASSWORDS["ledger_views"])) as pool:
        yield Ground(database, pool, hospital=hospital, partitions=partitions)
