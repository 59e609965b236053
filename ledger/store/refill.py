"""Puts lost events back into a ledger, byte for byte and in order: what was restored is older than what was signed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor

from ledger.store.errors import StoreUnavailable, UnknownHospital
from ledger.store.recorder import kind_of
from ledger.store.statements import statements
from ledger.trust.envelope import Envelope, decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.sealed_body import is_sealed

_PAGE = 2000
_LOCK_TIMEOUT = "SET lock_timeout = '7s'"

Connection = AsyncConnection[tuple[Any, ...]]


class NotRefilled(Exception):
    """The event does not continue this ledger, and was not put back."""

    def __init__(self, position: int, what: str) -> None:
        super().__init__(f"{self.__doc__} Position {position}: {what}")
        self.position = position


class LedgerRefill:
    """One hospital's ledger while it is put right, over the role that appends."""

    def __init__(self, connection: Connection, hospital: str) -> None:
        """Use `open_refill`."""
        self._connection = connection
        self._hospital = hospital
        self._sql = statements("refill", hospital)

    async def head(self) -> int:
        """The last position."""
        return (await self._one("head"))[0]

    async def origin(self) -> str:
        """Of its present log, as the registry has it. UnknownHospital."""
        rows = await self._rows("origin", self._hospital)
        if not rows:
            raise UnknownHospital(self._hospital)
        return rows[0][0]

    async def envelopes(self) -> AsyncGenerator[bytes]:
        """Every stored envelope in order of position."""
        position = 0
        while rows := await self._rows("envelopes", position, _PAGE):
            for _, envelope in rows:
                yield envelope
            position = rows[-1][0]

    async def put_back(self, position: int, events: Sequence[tuple[bytes, bytes]]) -> None:
        """Appends (envelope, body) pairs from a position on, which follows the head; all or none. NotRefilled."""
        async with self._connection.transaction():
            head = (await self._one("lock_head"))[0]
            if head != position - 1:
                raise NotRefilled(position, f"the ledger ends at {head}")
            leaf = b""
            for at, (envelope, body) in enumerate(events, position):
                leaf = await self._insert(at, envelope, body)
            if events:
                await self._connection.execute(self._sql["advance_head"], (position + len(events) - 1, leaf))

    async def refusal_of(self, position: int, event: tuple[bytes, bytes]) -> NotRefilled | None:
        """Why an event would not be put back behind the head; nothing is written."""
        try:
            async with self._connection.transaction(force_rollback=True):
                await self._insert(position, *event)
        except NotRefilled as refusal:
            return refusal
        return None

    async def _insert(self, position: int, data: bytes, body: bytes) -> bytes:
        envelope = _decoded(position, data, body)
        stream_id, leaf = UUID(bytes=envelope.stream_id), leaf_hash(data)
        stood = next(iter(await self._rows("stream_head", stream_id)), (0, b""))
        if (stood[0] + 1, bytes(stood[1])) != (envelope.stream_version, envelope.prev_leaf):
            raise NotRefilled(position, "the event does not follow its record's last one")
        version, type_, time = envelope.stream_version, envelope.type, envelope.recorded_at
        row = (position, stream_id, version, type_, time, data, body, leaf)
        await self._connection.execute(self._sql["insert_event"], row)
        moved = (stream_id, kind_of(type_), version, leaf, position, time)
        await self._connection.execute(self._sql["move_stream_head"], moved)
        return leaf

    async def _rows(self, name: str, *parameters: object) -> list[tuple[Any, ...]]:
        return await (await self._connection.execute(self._sql[name], parameters, binary=True)).fetchall()

    async def _one(self, name: str) -> tuple[Any, ...]:
        (row,) = await self._rows(name)
        return row


def _decoded(position: int, data: bytes, body: bytes) -> Envelope:
    try:
        envelope = decode(data)
    except EnvelopeFault:
        raise NotRefilled(position, "no envelope") from None
    if not is_sealed(envelope):
        raise NotRefilled(position, "the body lies in the clear")
    if envelope.body_sha256 != sha256(body).digest():
        raise NotRefilled(position, "the body has not the digest of its envelope")
    return envelope


@asynccontextmanager
async def open_refill(url: str, hospital: str) -> AsyncGenerator[LedgerRefill]:
    """A ledger to be put right. Raises StoreUnavailable, UnknownHospital."""
    try:
        async with await AsyncConnection.connect(
            url, autocommit=True, cursor_factory=AsyncRawCursor, connect_timeout=5, application_name="ledger repair"
        ) as connection:
            await connection.execute(_LOCK_TIMEOUT)
            yield LedgerRefill(connection, hospital)
    except (psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedTable) as error:
        raise UnknownHospital(hospital) from error
    except psycopg.OperationalError as error:
        raise StoreUnavailable(error.sqlstate) from error
