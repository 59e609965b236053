"""The register of actors: who an actor id stands for. Mutable, outside the events, erasable."""

from dataclasses import dataclass
from uuid import UUID

from ledger.store.connections import ConnectionPool
from ledger.store.statements import statements


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or system that acts in one hospital."""

    actor_id: UUID
    name: str
    role: str
    department: str
    licence: str
    source: str
    """Where the entry came from: the system and its id for the person."""


class ActorRegister:
    """The registers of the hospitals of one cluster (role ledger_append).

    Raises StoreUnavailable where PostgreSQL cannot be asked.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    async def upsert_actor(self, hospital: str, actor: Actor) -> None:
        """Adds or corrects an actor."""
        values = (actor.actor_id, actor.name, actor.role, actor.department, actor.licence, actor.source)
        await self._pool.rows(statements("reading", hospital)["upsert_actor"], values)

    async def actor(self, hospital: str, actor_id: UUID) -> Actor | None:
        """The actor of this id; None where it is not, or no longer, registered."""
        rows = await self._pool.rows(statements("reading", hospital)["actor"], (actor_id,))
        return Actor(*rows[0]) if rows else None
