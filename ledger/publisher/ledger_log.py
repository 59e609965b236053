"""What the publisher reads and writes in PostgreSQL, under the role `ledger_stream`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor
from psycopg.sql import Identifier, Literal
from psycopg_pool import AsyncConnectionPool

from ledger.publisher.routing import routed_types
from ledger.trust.fault import EnvelopeFault
from ledger.trust.glance import glance, origin_at_head
from ledger.views.statements import render, templates

CONNECTIONS_MAX = 8
BATCH = 1000
BATCH_BYTES = 16 * 1024 * 1024
_HEADS_PER_STATEMENT = 100

Connection = AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Connection]


@dataclass(frozen=True, slots=True)
class HospitalRow:
    """A hospital whose events are published."""

    id: str
    origin: str
    partitions: int
    schema_version: int


class LogRow(NamedTuple):
    """An event as stored."""

    position: int
    stream_id: UUID
    version: int
    type: str
    recorded_at: int
    envelope: bytes
    body: bytes
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class TransferCopy:
    """An event as it goes to one other hospital."""

    recipient: str
    origin: str
    position: int
    envelope: bytes
    body: bytes


def origin_of(row: LogRow, hospital: HospitalRow) -> str:
    """The log that an event came into being in; the hospital's present one where the envelope does not say.

    An event that survived the end of its log keeps the name under which it was published: by it and the position
    receivers know it again.
    """
    if (origin := origin_at_head(row.envelope)) is not None:
        return origin
    try:
        return glance(row.envelope).origin
    except EnvelopeFault:
        return hospital.origin


def log_pool(url: str) -> Pool:
    """At most eight connections, none while nobody needs one; to be opened by `async with`."""
    return AsyncConnectionPool(
        url,
        kwargs={"autocommit": True, "cursor_factory": AsyncRawCursor},
        min_size=0,
        max_size=CONNECTIONS_MAX,
        max_idle=60.0,
        open=False,
        name="publisher",
    )


class LedgerLog:
    """Reads ledgers by position and keeps how far each is published."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def hospitals(self) -> list[HospitalRow]:
        """The hospitals whose schema is there."""
        return [HospitalRow(*row) for row in await self._rows(_sql("hospitals"), ())]

    async def heads(self, hospitals: Sequence[str]) -> dict[str, int]:
        """The last position of every hospital named; one whose schema is not there or must not be read is left out."""
        heads: dict[str, int] = {}
        for start in range(0, len(hospitals), _HEADS_PER_STATEMENT):
            heads.update(await self._heads(hospitals[start : start + _HEADS_PER_STATEMENT]))
        return heads

    async def _heads(self, hospitals: Sequence[str]) -> dict[str, int]:
        query = b"\nUNION ALL\n".join(_head_of(each) for each in hospitals)
        try:
            return {row[0]: row[1] for row in await self._rows(query, ())}
        except psycopg.ProgrammingError:
            # One of them spoils the statement of all; asked one by one, the others are read.
            if len(hospitals) == 1:
                return {}
        heads: dict[str, int] = {}
        for each in hospitals:
            heads.update(await self._heads([each]))
        return heads

    async def after(self, hospital: str, position: int) -> list[LogRow]:
        """The next events above a position, at most BATCH, and about BATCH_BYTES of bodies."""
        rows = await self._rows(_of_hospital("after", hospital), (position, BATCH, BATCH_BYTES))
        return [LogRow._make(row) for row in rows]

    async def streams_below(self, hospital: str, position: int, limit: int) -> list[tuple[int, UUID]]:
        """Position and stream of the events at a position and below, downwards."""
        rows = await self._rows(_of_hospital("streams_below", hospital), (position, limit))
        return [(row[0], row[1]) for row in rows]

    async def envelopes(self, hospital: str, positions: Sequence[int]) -> dict[int, bytes]:
        """The envelopes at these positions, where there are events."""
        return dict(await self._rows(_of_hospital("envelopes", hospital), (list(positions),)))

    async def progress(self, hospital: str) -> int:
        """How far the hospital is published, as last noted; on Kafka that is advice, the topic is the truth."""
        rows = await self._rows(_sql("progress"), (hospital,))
        return rows[0][0] if rows else 0

    async def all_progress(self) -> dict[str, int]:
        """How far every hospital is published that has a note."""
        return {row[0]: row[1] for row in await self._rows(_sql("all_progress"), ())}

    async def note_progress(self, hospital: str, position: int) -> None:
        """Notes how far the hospital is published."""
        async with self._pool.connection() as connection:
            await connection.execute(_sql("advance"), (hospital, position))

    async def routed(self, hospital: str, after: int, upto: int, limit: int) -> list[LogRow]:
        """The next events in a range of positions that may concern other hospitals."""
        parameters = (after, upto, list(routed_types()), limit)
        return [LogRow(*row) for row in await self._rows(_of_hospital("routed_rows", hospital), parameters)]

    async def transfer_topics(self, hospital: str) -> dict[str, tuple[str, int]]:
        """By recipient: identity and first offset of the transfer topic that the hospital has sent to."""
        rows = await self._rows(_sql("transfer_topics"), (hospital,))
        return {recipient: (topic_id, beginning) for recipient, topic_id, beginning in rows}

    async def note_transfer_topic(self, hospital: str, recipient: str, topic_id: str, beginning: int) -> None:
        """Notes which topic the hospital sends to."""
        async with self._pool.connection() as connection:
            await connection.execute(_sql("note_transfer_topic"), (hospital, recipient, topic_id, beginning))

    async def copy_transfers(self, hospital: str, copies: Sequence[TransferCopy], upto: int) -> None:
        """Copies what goes to other hospitals up to a position, with the progress in the same transaction."""
        async with self._pool.connection() as connection:
            async with connection.transaction():
                recipients = await _copy(connection, copies)
                await connection.execute(_sql("advance"), (hospital, upto))
            for recipient in recipients:
                await connection.execute(_sql("hint_transfers"), (recipient,))

    async def _rows(self, query: bytes, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query, parameters, binary=True)
            return await cursor.fetchall()


async def _copy(connection: Connection, copies: Sequence[TransferCopy]) -> list[str]:
    recipients = sorted({copy.recipient for copy in copies})
    # In one order, so that two senders never wait for each other; held until the commit, so that a recipient's
    # numbers become visible in their order and a reader that goes on behind one misses nothing.
    for recipient in recipients:
        await connection.execute(_sql("lock_recipient"), (recipient,))
    for copy in copies:
        fields = (copy.recipient, copy.origin, copy.position, copy.envelope, copy.body)
        await connection.execute(_sql("copy_transfer"), fields)
    return recipients


def _sql(name: str) -> bytes:
    return templates("ledger.publisher", "publisher")[name].encode()


def _of_hospital(name: str, hospital: str) -> bytes:
    return render(templates("ledger.publisher", "publisher")[name], {"schema": Identifier(f"h_{hospital}")})


def _head_of(hospital: str) -> bytes:
    template = templates("ledger.publisher", "publisher")["head"]
    return render(template, {"schema": Identifier(f"h_{hospital}"), "id": Literal(hospital)})
