"""Reads of a hospital's ledger: events by stream and by position, heads, commands, reservations."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from ledger.store import round_trip
from ledger.store.connections import ConnectionPool
from ledger.store.statements import statements
from ledger.store.wire import INT8_MAX, int8
from ledger.trust.sealed_body import SEALED_BYTES_MAX

ROWS_MAX = 2_000
PAGE_BYTES_MAX = 16 * 1024 * 1024
"""A page of events ends with the one whose body reaches this."""
FEW_ROWS = PAGE_BYTES_MAX // SEALED_BYTES_MAX
"""So few events never reach it, and their bodies need not be summed up."""


class StoredRow(NamedTuple):
    """One event as it is stored. `recorded_at` in Unix microseconds."""

    position: int
    stream_id: UUID
    version: int
    type: str
    recorded_at: int
    envelope: bytes
    body: bytes
    leaf_hash: bytes
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class StreamHead:
    """Where a stream stands. `recorded_at` is that of its last event."""

    stream_id: UUID
    kind: str
    version: int
    leaf_hash: bytes
    first_position: int
    last_position: int
    recorded_at: int


@dataclass(frozen=True, slots=True)
class LastEvent:
    """The last event of a stream, without its body."""

    position: int
    type: str
    envelope: bytes


@dataclass(frozen=True, slots=True)
class LedgerHead:
    """The highest position and its event's leaf hash (empty for an empty ledger)."""

    position: int
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class CommandReceipt:
    """What became of a command that was appended."""

    content: bytes
    rpc: str
    stream_id: UUID
    version: int
    first_position: int
    last_position: int
    result: bytes


@dataclass(frozen=True, slots=True)
class ReservationRow:
    """A reservation as it stands."""

    kind: str
    key: bytes
    value: bytes
    counter: int
    stream_id: UUID | None
    group: bytes | None


def is_last_page(rows: Sequence[StoredRow], limit: int) -> bool:
    """Whether there was no more to read: the page was ended neither by its limit nor by its bytes."""
    return len(rows) < min(limit, ROWS_MAX) and sum(len(row.body) for row in rows) < PAGE_BYTES_MAX


class EventReader:
    """Reads on the connections of one cluster. Every list is bounded by 2,000 rows, events by 16 MiB too.

    Raises StoreUnavailable where PostgreSQL cannot be asked.
    """

    def __init__(self, readers: ConnectionPool) -> None:
        self._readers = readers

    async def read_stream(
        self, hospital: str, stream_id: UUID, after_version: int = 0, limit: int = ROWS_MAX
    ) -> list[StoredRow]:
        """The events of a stream above a version, in order of version; `is_last_page` says whether there are more."""
        name, places = "read_few", (stream_id.bytes, _after(after_version), int8(min(limit, ROWS_MAX)))
        if limit > FEW_ROWS:
            name, places = "read_stream", (*places, int8(PAGE_BYTES_MAX))
        return [StoredRow(row[0], stream_id, *row[1:]) for row in await self._binary(name, hospital, places)]

    async def read_positions(self, hospital: str, after: int = 0, limit: int = ROWS_MAX) -> list[StoredRow]:
        """The events above a position, in order of position; `is_last_page` says whether there are more."""
        places = _after(after), int8(min(limit, ROWS_MAX)), int8(PAGE_BYTES_MAX)
        return [StoredRow._make(row) for row in await self._binary("read_positions", hospital, places)]

    async def head(self, hospital: str) -> int:
        """The highest position; 0 for an empty ledger."""
        return (await self.ledger_head(hospital)).position

    async def ledger_head(self, hospital: str) -> LedgerHead:
        """The highest position with its leaf hash."""
        return LedgerHead(*(await self._rows("head", hospital, ()))[0])

    async def first_in_the_clear(self, hospital: str) -> int | None:
        """The first position whose body is not sealed, whichever it is; None where there is none."""
        return (await self._rows("first_in_the_clear", hospital, ()))[0][0]

    async def stream_head(self, hospital: str, stream_id: UUID) -> StreamHead | None:
        """Where a stream stands; None where it has no event."""
        rows = await self._rows("stream_head", hospital, (stream_id,))
        return StreamHead(*rows[0]) if rows else None

    async def leaves_of(self, hospital: str, versions: Sequence[tuple[UUID, int]]) -> dict[tuple[UUID, int], bytes]:
        """The leaf hashes of these versions of streams, where they are there."""
        columns = ([stream_id for stream_id, _ in versions], [version for _, version in versions])
        return {(row[0], row[1]): row[2] for row in await self._rows("leaves_of", hospital, columns)}

    async def last_events(self, hospital: str, after: UUID, limit: int = ROWS_MAX) -> list[LastEvent]:
        """The last event of each stream whose id is above `after`, in order of id."""
        rows = await self._rows("last_events", hospital, (after, min(limit, ROWS_MAX)))
        return [LastEvent(*row) for row in rows]

    async def streams_among(self, hospital: str, stream_ids: Sequence[UUID]) -> set[UUID]:
        """Those of these streams that have an event."""
        return {row[0] for row in await self._rows("streams_among", hospital, (stream_ids,))}

    async def list_streams(
        self, hospital: str, kind: str, after_first_position: int = 0, limit: int = ROWS_MAX
    ) -> list[StreamHead]:
        """The streams of a kind in order of their first event."""
        rows = await self._rows("list_streams", hospital, (kind, after_first_position, min(limit, ROWS_MAX)))
        return [StreamHead(*row) for row in rows]

    async def position_of(self, hospital: str, stream_id: UUID, version: int) -> int | None:
        """The position of a stream's version."""
        rows = await self._rows("position_of", hospital, (stream_id, version))
        return rows[0][0] if rows else None

    async def stream_at(self, hospital: str, position: int) -> tuple[UUID, int] | None:
        """Stream and version of the event at a position."""
        rows = await self._rows("stream_at", hospital, (position,))
        return (rows[0][0], rows[0][1]) if rows else None

    async def streams_between(self, hospital: str, after: int, through: int) -> list[UUID]:
        """Streams of the events above `after` up to `through`, in order of position; the first 2,000 of them."""
        return [row[0] for row in await self._rows("streams_between", hospital, (after, through, ROWS_MAX))]

    async def positions_of(self, hospital: str, type_: str, after: int, through: int) -> list[tuple[int, UUID]]:
        """Position and stream of the events of a type above `after`, up to `through`; both bound what is looked at."""
        rows = await self._rows("positions_of", hospital, (after, through, type_))
        return [(row[0], row[1]) for row in rows]

    async def command(self, hospital: str, command_id: UUID) -> CommandReceipt | None:
        """What became of a command; None where it was never appended."""
        rows = await self._rows("find_command", hospital, (command_id,), file="append")
        return CommandReceipt(*rows[0]) if rows else None

    async def reservation(self, hospital: str, kind: str, key: bytes) -> ReservationRow | None:
        """A reservation as it stands; None where there is none."""
        rows = await self._rows("reservation", hospital, (kind, key))
        return ReservationRow(*rows[0]) if rows else None

    async def reservation_many(
        self, hospital: str, wanted: Sequence[tuple[str, bytes]]
    ) -> dict[tuple[str, bytes], ReservationRow]:
        """Those of the wanted reservations that exist, by (kind, key)."""
        kinds, keys = [kind for kind, _ in wanted], [key for _, key in wanted]
        rows = await self._rows("reservation_many", hospital, (kinds, keys))
        return {(row[0], row[1]): ReservationRow(*row) for row in rows}

    async def reservations_in_group(
        self, hospital: str, kind: str, group: bytes, after_key: bytes = b"", limit: int = ROWS_MAX
    ) -> list[ReservationRow]:
        """The reservations of one group in order of key."""
        rows = await self._rows("reservations_in_group", hospital, (kind, group, after_key, min(limit, ROWS_MAX)))
        return [ReservationRow(*row) for row in rows]

    async def all_in_group(
        self, hospital: str, kind: str, group: bytes, page: int = ROWS_MAX
    ) -> AsyncIterator[ReservationRow]:
        """Every reservation of one group in order of key, however many, read `page` (1 to 2,000) at a time."""
        after_key = b""
        while True:
            rows = await self.reservations_in_group(hospital, kind, group, after_key, page)
            for row in rows:
                yield row
            if len(rows) < min(page, ROWS_MAX):
                return
            after_key = rows[-1].key

    async def _binary(self, name: str, hospital: str, parameters: Sequence[bytes]) -> list[Any]:
        statement = statements("reading", hospital)[name]
        return await self._readers.ask(lambda connection: round_trip.rows(connection, statement, parameters))

    async def _rows(self, name: str, hospital: str, parameters: Sequence[Any], file: str = "reading") -> list[Any]:
        return await self._readers.rows(statements(file, hospital)[name], parameters)


def _after(place: int) -> bytes:
    """A version or position as a bigint; nothing lies behind the largest, whatever a caller asks for."""
    return int8(min(place, INT8_MAX))
