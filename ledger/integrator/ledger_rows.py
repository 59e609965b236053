"""What the integrator reads in PostgreSQL, under the role `ledger_stream`: raw bytes by position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor
from psycopg.sql import Identifier, Literal
from psycopg_pool import AsyncConnectionPool

from ledger.log.log_growth import StoredLeaf
from ledger.views.statements import render, templates

CONNECTIONS_MAX = 4
BATCH = 2560
"""Ten bundles."""
BATCH_BYTES = 16 * 1024 * 1024
_HEADS_PER_STATEMENT = 100

Connection = AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Connection]


@dataclass(frozen=True, slots=True)
class HospitalRow:
    """A hospital whose events are integrated."""

    id: str
    origin: str
    schema_version: int


def rows_pool(url: str) -> Pool:
    """At most four connections, none while nobody needs one; to be opened by `async with`."""
    return AsyncConnectionPool(
        url,
        kwargs={"autocommit": True, "cursor_factory": AsyncRawCursor},
        min_size=0,
        max_size=CONNECTIONS_MAX,
        max_idle=60.0,
        open=False,
        name="integrator",
    )


class LedgerRows:
    """Reads ledgers by position."""

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

    async def after(self, hospital: str, position: int) -> list[StoredLeaf]:
        """The next events above a position, at most BATCH, and about BATCH_BYTES of bodies."""
        rows = await self._rows(_of_hospital("after", hospital), (position, BATCH, BATCH_BYTES))
        return [StoredLeaf(*row) for row in rows]

    async def envelope(self, hospital: str, position: int) -> bytes | None:
        """The envelope at a position; None where there is no event."""
        rows = await self._rows(_of_hospital("envelope", hospital), (position,))
        return rows[0][0] if rows else None

    async def envelopes(self, hospital: str, position: int, last: int) -> list[bytes]:
        """The next envelopes above a position, up to `last`, at most BATCH."""
        rows = await self._rows(_of_hospital("envelopes", hospital), (position, last, BATCH))
        return [row[0] for row in rows]

    async def age_seconds(self, hospital: str, position: int) -> float:
        """How long ago the event at a position was recorded; 0 where there is none."""
        rows = await self._rows(_of_hospital("age", hospital), (position,))
        return rows[0][0] if rows else 0.0

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

    async def _rows(self, query: bytes, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query, parameters, binary=True)
            return await cursor.fetchall()


def _sql(name: str) -> bytes:
    return templates("ledger.integrator", "integrator")[name].encode()


def _of_hospital(name: str, hospital: str) -> bytes:
    return render(templates("ledger.integrator", "integrator")[name], {"schema": Identifier(f"h_{hospital}")})


def _head_of(hospital: str) -> bytes:
    template = templates("ledger.integrator", "integrator")["head"]
    return render(template, {"schema": Identifier(f"h_{hospital}"), "id": Literal(hospital)})
