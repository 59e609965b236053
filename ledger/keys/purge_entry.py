"""One row of the purge register with its holders and the tombstone beside it, and what proves that it is unchanged."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

_FORMAT = "ledger purge 1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who may hold what a destroyed record said."""

    kind: str
    """`archive` (files of an archive office), `copy` (certified copy) or `package` (transfer to a hospital)."""
    item: str
    """Archive office, copy id or transfer id."""
    name: str
    """Whom to ask; of a copy the applicant, empty once it is acknowledged, and if that proves nothing later, too."""
    acknowledged_at: datetime | None = None
    acknowledged_by: UUID | None = None
    """An actor."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is left of the record's key."""

    key_id: bytes
    generation: int
    """That wrapped it in these tables."""
    destroyed_by: int
    destroyed_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """All that the register says of one destroyed record."""

    origin: str
    stream_id: UUID
    position: int
    unreadable_at: datetime
    generation: int
    holders_known: bool
    statement: bytes
    salt: bytes
    holders: tuple[Holder, ...]
    tombstone: Tombstone

    def proof(self, register_key: bytes) -> bytes:
        """32 bytes, by whoever has the key file's register key; format in `docs/formats.md`."""
        said = {
            "format": _FORMAT,
            "origin": self.origin,
            "record": self.stream_id.hex,
            "position": self.position,
            "unreadable_at": _microseconds(self.unreadable_at),
            "generation": self.generation,
            "holders_known": self.holders_known,
            "statement": self.statement.hex(),
            "salt": self.salt.hex(),
            "holders": sorted(map(_holder, self.holders)),
            "tombstone": {
                "key_id": self.tombstone.key_id.hex(),
                "generation": self.tombstone.generation,
                "position": self.tombstone.destroyed_by,
                "destroyed_at": _microseconds(self.tombstone.destroyed_at),
            },
        }
        text = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
        return hmac.digest(register_key, text, "sha256")

    def proven_by(self, proof: bytes, register_key: bytes) -> bool:
        """Whether a proof is of this very entry."""
        return hmac.compare_digest(proof, self.proof(register_key))


@dataclass(frozen=True, slots=True)
class Key:
    """A record's key, or what is left of it."""

    key_id: bytes
    generation: int
    alive: bool
    destroyed_by: int | None
    destroyed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Noted:
    """The columns of a row of the register."""

    position: int
    unreadable_at: datetime
    generation: int
    holders_known: bool
    statement: bytes
    salt: bytes
    proof: bytes
    """Empty where it was written without the key file, by a restore."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in the tables of one stream."""

    origin: str
    stream_id: UUID
    key: Key | None
    noted: Noted | None
    holders: tuple[Holder, ...]

    @property
    def entry(self) -> Entry | None:
        """The register's entry; None where it lacks the row, or beside no tombstone."""
        if self.noted is None or self.key is None or self.key.destroyed_by is None or self.key.destroyed_at is None:
            return None
        return self._entry(
            self.noted,
            Tombstone(self.key.key_id, self.key.generation, self.key.destroyed_by, self.key.destroyed_at),
        )

    def _entry(self, row: Noted, tombstone: Tombstone) -> Entry:
        return Entry(
            self.origin, self.stream_id, row.position, row.unreadable_at, row.generation, row.holders_known,
            row.statement, row.salt, self.holders, tombstone,
        )  # fmt: skip

    def proven(self, register_key: bytes) -> bool:
        """Whether the entry is as who has the key file wrote it."""
        return (
            self.entry is not None and self.noted is not None and self.entry.proven_by(self.noted.proof, register_key)
        )

    def was_proven(self, register_key: bytes) -> bool:
        """Whether the row was as who has the key file wrote it, before the key of its record was put back.

        The tombstone went with that. At a destruction it is of the row's position and time, and the key's generation is
        that of the backup or the row's own; a row that was taken up (`taken_up`) has another time, and proves nothing.
        """
        row, key = self.noted, self.key
        if row is None or key is None:
            return False
        return any(
            self._entry(row, Tombstone(key.key_id, generation, row.position, row.unreadable_at)).proven_by(
                row.proof, register_key
            )
            for generation in {key.generation, row.generation}
        )

    def erased(
        self,
        key: Key,
        statement: tuple[int, bytes, bytes],
        at: datetime,
        holders: Iterable[Holder],
        *,
        known: bool,
        proven: bool,
    ) -> Entry:
        """The entry once a key that lives is destroyed. A row that is there all the same is of before the key was put
        back: its holders stay, its dates do not, since the record could be read until now. What its holders said stays
        only where it was `proven` (was_proven): else whoever writes the tables said it.
        """
        position, plaintext, salt = statement
        if self.noted is not None and not plaintext and self.noted.position == position:
            plaintext, salt = self.noted.statement, self.noted.salt
        generation = max(key.generation, self.noted.generation if self.noted else 0)
        return Entry(
            self.origin, self.stream_id, position, at, generation, known and self.noted is None, plaintext, salt,
            united(self.holders, holders) if proven else united(holders, map(_silent, self.holders)),
            Tombstone(key.key_id, key.generation, position, at),
        )  # fmt: skip

    def taken_up(self, newest: int, position: int, at: datetime, holders: Iterable[Holder]) -> Entry | None:
        """The entry of a tombstone whose row is missing or proves nothing: nothing of it can be believed that would be
        in somebody's favour, so it is unreadable from now on, was wrapped by the newest generation, may have more
        holders, and none of them has said that he deleted. None where nothing is to be written: it proves something,
        right or not, or is of another destruction.
        """
        key, row = self.key, self.noted
        if key is None or key.destroyed_by != position or key.destroyed_at is None or (row and row.proof):
            return None
        if row is not None and row.position != position:
            return None
        plaintext, salt = (row.statement, row.salt) if row else (b"", b"")
        tombstone = Tombstone(key.key_id, key.generation, position, key.destroyed_at)
        return Entry(
            self.origin, self.stream_id, position, at, newest, holders_known=False, statement=plaintext, salt=salt,
            holders=united(holders, map(_silent, self.holders)), tombstone=tombstone,
        )  # fmt: skip


def united(first: Iterable[Holder], more: Iterable[Holder]) -> tuple[Holder, ...]:
    """Each holder once; of one that is in both, what `first` says."""
    found = {(each.kind, each.item): each for each in (*more, *first)}
    return tuple(found[key] for key in sorted(found))


def _silent(holder: Holder) -> Holder:
    """Who has acknowledged nothing."""
    return replace(holder, acknowledged_at=None, acknowledged_by=None)


def _holder(holder: Holder) -> list[str | int]:
    """Texts and a number alone, so that holders have one order."""
    at = _microseconds(holder.acknowledged_at) if holder.acknowledged_at else 0
    return [holder.kind, holder.item, holder.name, at, holder.acknowledged_by.hex if holder.acknowledged_by else ""]


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)


def standing_of(row: Sequence[Any]) -> Standing:
    """A row of the statement `standing`."""
    origin, stream_id, *rest = row
    key, noted, holders = rest[:5], rest[5:12], rest[12]
    held = json.loads(holders) if isinstance(holders, str) else holders
    return Standing(
        origin,
        stream_id,
        None if key[0] is None else Key(*key),
        None if noted[0] is None else Noted(*noted),
        tuple(map(_held, held)),
    )


def _held(row: Sequence[Any]) -> Holder:
    kind, item, name, at, by = row
    acknowledged_at = None if at is None else _EPOCH + timedelta(microseconds=at)
    return Holder(kind, item, name, acknowledged_at, UUID(by) if by else None)
