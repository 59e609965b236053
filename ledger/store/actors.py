"""The register of actors: who an actor id stands for. Mutable, outside the events, erasable."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from ledger.store.connections import ConnectionPool
from ledger.store.errors import ActorSourceTaken, StoreUnavailable
from ledger.store.statements import statements


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or system that acts in one hospital."""

    actor_id: UUID
    name: str
    role: str
    department: str
    licence: str
    source_key: bytes | None = None
    """HMAC of the source that the person was imported from; None where nobody imported it."""


class ActorRegister:
    """The registers of the hospitals of one cluster (role ledger_append).

    Raises StoreUnavailable where PostgreSQL cannot be asked.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    async def upsert_actor(self, hospital: str, actor: Actor) -> bool:
        """Adds or corrects the actor of an id; False where the register already said the same.

        Raises ActorSourceTaken where the source is another actor's.
        """
        try:
            return await self._upsert("upsert_actor", hospital, actor) is not None
        except psycopg.errors.UniqueViolation as error:
            raise ActorSourceTaken from error

    async def upsert_sourced_actor(self, hospital: str, actor: Actor) -> tuple[UUID, bool]:
        """The id that the source got first, or `actor`'s own where it is new; and whether the register changed."""
        changed = await self._upsert("upsert_sourced_actor", hospital, actor)
        return (changed, True) if changed else (await self._of_source(hospital, actor), False)

    async def actor(self, hospital: str, actor_id: UUID) -> Actor | None:
        """The actor of this id; None where it is not, or no longer, registered."""
        row = await self._row("actor", hospital, (actor_id,))
        return Actor(*row) if row else None

    async def _of_source(self, hospital: str, actor: Actor) -> UUID:
        row = await self._row("actor_of_source", hospital, (actor.source_key,))
        if row is None:  # erased since the statement before: the next attempt registers it anew
            raise StoreUnavailable(None)
        return row[0]

    async def _upsert(self, name: str, hospital: str, actor: Actor) -> UUID | None:
        values = (actor.actor_id, actor.name, actor.role, actor.department, actor.licence, actor.source_key)
        row = await self._row(name, hospital, values)
        return row[0] if row else None

    async def _row(self, name: str, hospital: str, values: tuple[object, ...]) -> tuple[Any, ...] | None:
        rows = await self._pool.rows(statements("reading", hospital)[name], values)
        return rows[0] if rows else None
