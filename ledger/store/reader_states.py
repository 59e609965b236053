"""What readers of the published stream that are no views last said of themselves."""

from dataclasses import dataclass
from datetime import datetime

from ledger.store.connections import ConnectionPool
from ledger.store.statements import statements


@dataclass(frozen=True, slots=True)
class ReaderState:
    """One reader of one hospital."""

    hospital: str
    reader: str
    state: str
    dead_letters: int
    waiting: int
    reported_at: datetime


async def keep(pool: ConnectionPool, hospital: str, reader: str, state: str, dead_letters: int, waiting: int) -> None:
    """Puts it in the place of what the reader said before. Raises StoreUnavailable."""
    await pool.rows(statements("reader_states")["keep"], (hospital, reader, state, dead_letters, waiting))


async def all_states(pool: ConnectionPool) -> list[ReaderState]:
    """Every reader of every hospital. Raises StoreUnavailable."""
    return [ReaderState(*row) for row in await pool.rows(statements("reader_states")["all"])]
