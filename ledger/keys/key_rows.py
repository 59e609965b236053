"""The rows of wrapped keys in PostgreSQL, under the role `ledger_keys`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from ledger.keys.wrapping import KeyPlace, Wrapped
from ledger.store.connections import ConnectionPool, Row
from ledger.store.round_trip import rows as rows_of
from ledger.store.wire import UUID_TYPE, array, bytea_array, int4_array, text_array
from ledger.views.statements import templates

StreamOf = tuple[str, bytes]
"""Origin and stream id: what a key belongs to."""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One record's key, or its tombstone."""

    place: KeyPlace
    generation: int
    wrapped: bytes | None
    """None in a tombstone."""
    destroyed_by: int | None
    """Position of the RecordDestroyed; None while the key lives."""
    purged_by: int | None = None
    """The same as the purge register has it, where it was asked: a key that lives all the same was put back."""

    @property
    def stream(self) -> StreamOf:
        """Whose key it is."""
        return self.place.origin, self.place.stream_id


class KeyRows:
    """Reads and writes rows; every call raises StoreUnavailable where PostgreSQL cannot be asked."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    async def insert(self, keys: Sequence[tuple[KeyPlace, Wrapped]]) -> set[StreamOf]:
        """Adds keys in one statement and one flush, durably; which streams had none before."""
        columns = [
            text_array([place.origin for place, _ in keys]),
            array(UUID_TYPE, [place.stream_id for place, _ in keys]),
            bytea_array([place.key_id for place, _ in keys]),
            int4_array([wrapped.generation for _, wrapped in keys]),
            bytea_array([wrapped.data for _, wrapped in keys]),
        ]
        return {(row[0], row[1].bytes) for row in await self._asked("insert", columns)}

    async def find(self, streams: Sequence[StreamOf]) -> dict[StreamOf, KeyRow]:
        """The rows of these streams, where there are any."""
        columns = [
            text_array([origin for origin, _ in streams]),
            array(UUID_TYPE, [stream_id for _, stream_id in streams]),
        ]
        rows = [_row(each) for each in await self._asked("find", columns)]
        return {row.stream: row for row in rows}

    async def destroy(self, stream: StreamOf, position: int) -> None:
        """Puts a tombstone in the place of the key, durably; one that is there already stays as it is.

        The row's older versions stay on disk until PostgreSQL has cleaned them away.
        """
        origin, stream_id = stream
        await self._pool.rows(_sql("destroy"), (origin, UUID(bytes=stream_id), position))

    async def outdated(self, after: StreamOf, generation: int, limit: int) -> list[KeyRow]:
        """Live rows behind a stream, in order, that a generation before this one wraps."""
        origin, stream_id = after
        found = await self._pool.rows(_sql("outdated"), (origin, UUID(bytes=stream_id), generation, limit))
        return [_row(each) for each in found]

    async def rewrap(self, rows: Sequence[KeyRow], fresh: Sequence[Wrapped]) -> None:
        """Puts rows under a later generation; one that changed meanwhile is left alone."""
        if not rows:
            return
        columns = (
            [row.place.origin for row in rows],
            [UUID(bytes=row.place.stream_id) for row in rows],
            [row.generation for row in rows],
            [wrapped.data for wrapped in fresh],
        )
        await self._pool.rows(_sql("rewrap"), (*columns, fresh[0].generation))

    async def living(
        self, origin: str, after: UUID, settled_seconds: float, limit: int, before: datetime | None = None
    ) -> list[UUID]:
        """Streams of a ledger behind one, in order, whose key lives and was made so long ago, and before a time."""
        values = (origin, after, settled_seconds, limit, before)
        return [row[0] for row in await self._pool.rows(_sql("living"), values)]

    async def tombstones_beyond(self, origin: str, position: int) -> list[tuple[UUID, int]]:
        """Streams of a ledger whose key an event beyond a position destroyed, each with that event's position."""
        return [(row[0], row[1]) for row in await self._pool.rows(_sql("tombstones_beyond"), (origin, position))]

    async def live_by_generation(self) -> dict[int, int]:
        """How many live keys each generation wraps, over all hospitals."""
        return {row[0]: row[1] for row in await self._pool.rows(_sql("live_by_generation"))}

    async def _asked(self, name: str, columns: Sequence[bytes]) -> list[Row]:
        """For what commands wait for: without psycopg's cursor, which takes longer than all the rest of it."""
        return await self._pool.ask(lambda connection: rows_of(connection, _sql(name), columns))


def _row(row: tuple[Any, ...]) -> KeyRow:
    origin, stream_id, key_id, *rest = row
    return KeyRow(KeyPlace(origin, stream_id.bytes, key_id), *rest)


@cache
def _sql(name: str) -> bytes:
    return templates("ledger.keys", "key_rows")[name].encode()
