"""What was read of each hospital by day, as the runs of the servers write it down."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import psycopg

from ledger.store.connections import ConnectionPool
from ledger.store.errors import StoreUnavailable
from ledger.store.statements import statements


@dataclass(frozen=True, slots=True)
class ReadTotal:
    """All that one run of a server has answered of one hospital on one day."""

    hospital: str
    day: str
    """UTC, ISO 8601."""
    reads: int
    bytes_read: int


async def keep(pool: ConnectionPool, run: UUID, totals: Sequence[ReadTotal]) -> None:
    """Puts a run's totals in the place of its earlier ones. Doing it again does no harm.

    StoreUnavailable whatever ails the database: a server goes on without its table, as before its migration.
    """
    columns = (
        [each.hospital for each in totals],
        [each.day for each in totals],
        [each.reads for each in totals],
        [each.bytes_read for each in totals],
    )
    try:
        await pool.rows(statements("read_usage")["keep"], (run, *columns))
    except psycopg.Error as error:
        raise StoreUnavailable(error.sqlstate) from error
