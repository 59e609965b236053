"""The purge register in PostgreSQL, beside the keys: what is destroyed, since when, and who else holds it."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from ledger.keys.key_file import KeyFile
from ledger.keys.key_rows import StreamOf
from ledger.keys.origin import hospital_of
from ledger.keys.purge_entry import Entry, Holder, Noted, Standing, standing_of, united
from ledger.store.connections import ConnectionPool
from ledger.trust.envelope import Envelope
from ledger.views.statements import templates

_UNPROVEN = "nothing proved what the purge register says of a destruction; it is written anew, every holder open"
_log = logging.getLogger(__name__)


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
    proven: bool = True
    """Whether row, holders and tombstone are as who has the key file wrote them."""
    pending: bool = False
    """It was written without the key file, by a restore; the next look for destructions takes it up."""

    @property
    def place(self) -> PurgePlace:
        """Where it stands in the register."""
        return PurgePlace(self.position, self.stream_id)


class PurgeRows:
    """Reads and writes the register; every call raises StoreUnavailable where PostgreSQL cannot be asked.

    `erase`, `page` and `acknowledge` raise KeysUnavailable too.
    """

    def __init__(self, pool: ConnectionPool, key_file: Callable[[], Awaitable[KeyFile]]) -> None:
        """`key_file`: the key-encryption keys as they stand, and with them the key that proves the register."""
        self._pool = pool
        self._key_file = key_file

    async def erase(
        self, stream: StreamOf, statement: Statement, at: datetime, holders: Sequence[Holder], *, known: bool
    ) -> bool:
        """Puts the tombstone in the place of the key and the record into the register; False: the key was gone.

        Where it was, and no row of the register or one without a proof says so, the row is written so that nobody gains
        by what cannot be known any more (Standing.taken_up).
        """
        said = (statement.position, statement.plaintext, statement.salt)
        while (found := await self._standing(stream)) is not None and found.key is not None:
            if not found.key.alive:
                await self._take_up(found, statement.position, at, holders)
                return False
            proven = found.was_proven((await self._key_file()).register_key)
            entry = found.erased(found.key, said, at, holders, known=known, proven=proven)
            place = (entry.origin, entry.stream_id, entry.position, at, entry.tombstone.generation)
            values = (*place, *await self._columns(entry), *_of_holders(entry.holders))
            # Else it was wrapped anew, or destroyed, since it was looked at.
            if (await self._pool.rows(_sql("erase"), values))[0][0] == 1:
                if found.noted is not None and not proven:
                    _warn(entry)
                return True
        return False

    async def _take_up(self, found: Standing, position: int, at: datetime, holders: Sequence[Holder]) -> None:
        newest = (await self._key_file()).newest.number
        entry = found.taken_up(newest, position, at, holders)
        if entry is not None:
            place = (entry.origin, entry.stream_id, entry.position, entry.unreadable_at)
            values = (*place, *await self._columns(entry), *_of_holders(entry.holders))
            # Else another process has written it meanwhile.
            if (await self._pool.rows(_sql("take_up"), values))[0][0] == 1:
                _warn(entry)

    async def _columns(self, entry: Entry) -> tuple[Any, ...]:
        proof = entry.proof((await self._key_file()).register_key)
        return entry.generation, entry.holders_known, entry.statement, entry.salt, proof

    async def _standing(self, stream: StreamOf) -> Standing | None:
        origin, stream_id = stream
        rows = await self._pool.rows(_sql("standing"), ([origin], [UUID(bytes=stream_id)]))
        return standing_of(rows[0]) if rows else None

    async def unapplied(self, streams: Sequence[StreamOf]) -> set[StreamOf]:
        """Those of these whose key lives, or whose row of the register is missing or proves nothing."""
        columns = ([origin for origin, _ in streams], [UUID(bytes=stream_id) for _, stream_id in streams])
        return {(row[0], row[1].bytes) for row in await self._pool.rows(_sql("unapplied"), columns)}

    async def unregistered(self, origin: str) -> list[tuple[UUID, int]]:
        """Tombstones of a ledger that the register lacks, each with the position that it names."""
        return [(row[0], row[1]) for row in await self._pool.rows(_sql("unregistered"), (origin,))]

    async def note_offices(self, origin: str, names: Sequence[str]) -> None:
        """These archive offices may write readable files of a ledger's records."""
        await self._pool.rows(_sql("note_offices"), (origin, list(names)))

    async def offices(self, origin: str) -> list[str]:
        """Every archive office that ever might."""
        return [row[0] for row in await self._pool.rows(_sql("offices"), (origin,))]

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
        places = await self._pool.rows(_sql("list"), (origin, after.position, only_open, limit, after.stream_id))
        streams = ([origin] * len(places), [row[0] for row in places])
        register_key = (await self._key_file()).register_key
        found = [standing_of(row) for row in await self._pool.rows(_sql("standing"), streams)]
        return sorted((_purge(each, each.noted, register_key) for each in found if each.noted), key=lambda p: p.place)

    async def acknowledge(self, stream: StreamOf, kind: str, item: str, at: datetime, by: UUID) -> bool:
        """The holder has deleted; again: nothing more. False where there is no such holder.

        A row that proves nothing proves nothing afterwards either.
        """
        origin, stream_id = stream
        while (found := await self._standing(stream)) is not None and found.noted is not None:
            silent = next((each for each in found.holders if (each.kind, each.item) == (kind, item)), None)
            if silent is None or silent.acknowledged_at is not None:
                return silent is not None
            proof, register_key = found.noted.proof, (await self._key_file()).register_key
            if found.entry is not None and found.proven(register_key):
                heard = replace(
                    silent, name="" if kind == "copy" else silent.name, acknowledged_at=at, acknowledged_by=by
                )
                proof = replace(found.entry, holders=united([heard], found.holders)).proof(register_key)
            values = (origin, UUID(bytes=stream_id), kind, item, at, by, found.noted.proof, proof)
            # Else somebody else was heard since it was looked at.
            if await self._pool.rows(_sql("acknowledge"), values):
                return True
        return False


def _purge(found: Standing, row: Noted, register_key: bytes) -> Purge:
    return Purge(
        found.stream_id, row.position, row.unreadable_at, row.generation, row.holders_known, found.holders,
        found.proven(register_key), not row.proof,
    )  # fmt: skip


def _warn(entry: Entry) -> None:
    _log.warning(_UNPROVEN, extra={"hospital": hospital_of(entry.origin), "position": entry.position})


def _of_holders(holders: Sequence[Holder]) -> tuple[list[Any], ...]:
    rows = [(each.kind, each.item, each.name, each.acknowledged_at, each.acknowledged_by) for each in holders]
    return tuple(map(list, zip(*rows, strict=True))) if rows else ([], [], [], [], [])


@cache
def _sql(name: str) -> bytes:
    return templates("ledger.keys", "purge_rows")[name].encode()
