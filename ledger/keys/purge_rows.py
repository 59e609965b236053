"""The purge register in PostgreSQL, beside the keys: what is destroyed, since when, and who else holds it."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from ledger.keys.key_rows import StreamOf
from ledger.store.connections import ConnectionPool
from ledger.trust.envelope import Envelope
from ledger.views.statements import templates


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who may hold what a destroyed record said."""

    kind: str
    """`archive` (files of an archive office), `copy` (certified copy) or `package` (transfer to a hospital)."""
    item: str
    """Archive office, copy id or transfer id."""
    name: str
    """Whom to ask; of a copy the applicant, empty once it is acknowledged."""
    acknowledged_at: datetime | None = None
    acknowledged_by: UUID | None = None
    """An actor."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What the RecordDestroyed says: it outlives the record's key, and its commitment proves it."""

    position: int
    plaintext: bytes
    """Empty where it could not be opened any more."""
    salt: bytes

    def proven_by(self, envelope: Envelope) -> bool:
        """Whether the envelope commits to it."""
        expected = hmac.digest(self.salt, self.plaintext, "sha256") if self.plaintext else b""
        return hmac.compare_digest(expected, envelope.commitment)


class PurgePlace(NamedTuple):
    """Where a row stands in the register: records that one event gave up share its position."""

    position: int
    stream_id: UUID


REGISTER_START = PurgePlace(0, UUID(int=0))


@dataclass(frozen=True, slots=True)
class Purge:
    """One destroyed record in the register."""

    stream_id: UUID
    position: int
    """Of its RecordDestroyed, or of the LogSucceeded that gave it up."""
    unreadable_at: datetime
    generation: int
    """The key-encryption key that wrapped its key last."""
    holders_known: bool
    """False where an event could not be opened, so that a holder may be missing here."""
    holders: tuple[Holder, ...]

    @property
    def place(self) -> PurgePlace:
        """Where it stands in the register."""
        return PurgePlace(self.position, self.stream_id)


class PurgeRows:
    """Reads and writes the register; every call raises StoreUnavailable where PostgreSQL cannot be asked."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    async def erase(
        self, stream: StreamOf, statement: Statement, at: datetime, holders: Sequence[Holder], *, known: bool
    ) -> bool:
        """Puts the tombstone in the place of the key and the record into the register; False: the key was gone."""
        origin, stream_id = stream
        columns = [[each.kind for each in holders], [each.item for each in holders], [each.name for each in holders]]
        values = (origin, UUID(bytes=stream_id), statement.position, at, statement.plaintext, statement.salt, known)
        return (await self._pool.rows(_sql("erase"), (*values, *columns)))[0][0] == 1

    async def statements(self, streams: Sequence[StreamOf]) -> dict[StreamOf, Statement]:
        """What is kept of the destruction of these streams, where they are in the register."""
        columns = ([origin for origin, _ in streams], [UUID(bytes=stream_id) for _, stream_id in streams])
        rows = await self._pool.rows(_sql("statements"), columns)
        return {(row[0], row[1].bytes): Statement(*row[2:]) for row in rows}

    async def erased_up_to(self, origin: str) -> int:
        """The position up to which every destruction of a ledger was applied; 0 at first."""
        rows = await self._pool.rows(_sql("erased_up_to"), (origin,))
        return rows[0][0] if rows else 0

    async def note_erased(self, origin: str, after: int, position: int) -> bool:
        """Every destruction behind `after` is applied up to a position; False where not all up to `after` are."""
        return bool(await self._pool.rows(_sql("note_erased"), (origin, after, position)))

    async def begin_again(self, origin: str) -> None:
        """Whoever starts next reads this ledger from its first event."""
        await self._pool.rows(_sql("begin_again"), (origin,))

    async def page(self, origin: str, after: PurgePlace, limit: int, *, only_open: bool) -> list[Purge]:
        """Records destroyed behind a place, in its order; `only_open`: those with a holder who is silent."""
        rows = await self._pool.rows(_sql("list"), (origin, after.position, only_open, limit, after.stream_id))
        return [_purge(row) for row in rows]

    async def acknowledge(self, stream: StreamOf, kind: str, item: str, at: datetime, by: UUID) -> bool:
        """The holder has deleted; again: nothing more. False where there is no such holder."""
        origin, stream_id = stream
        values = (origin, UUID(bytes=stream_id), kind, item, at, by)
        return bool(await self._pool.rows(_sql("acknowledge"), values))


def _purge(row: tuple[Any, ...]) -> Purge:
    stream_id, position, unreadable_at, generation, holders_known, holders = row
    held = tuple(map(_holder, _array(holders)))
    return Purge(stream_id, position, unreadable_at, generation, holders_known, held)


def _array(value: Any) -> list[list[Any]]:
    return json.loads(value) if isinstance(value, str) else value


def _holder(row: list[Any]) -> Holder:
    kind, item, name, seconds, by = row
    return Holder(kind, item, name, datetime.fromtimestamp(seconds, UTC) if seconds else None, UUID(by) if by else None)


@cache
def _sql(name: str) -> bytes:
    return templates("ledger.keys", "purge_rows")[name].encode()
