"""Which hospitals there are and where their ledgers stand; which views have not come that far."""

from dataclasses import dataclass
from enum import Enum, auto

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from ledger.views.statements import templates
from ledger.views.view import View
from projections.connections import Connection, Pool
from projections.generation import serving
from projections.tables import shared_statements


@dataclass(frozen=True, slots=True)
class HospitalHead:
    """An active hospital, its partition count and the last position of its ledger."""

    id: str
    partitions: int
    position: int


async def heads(connection: Connection) -> list[HospitalHead]:
    """All active hospitals, in two queries however many there are."""
    sql = templates("projections", "projector")
    listed = await (await connection.execute(sql["hospitals"].encode())).fetchall()
    if not listed:
        return []
    query = b" UNION ALL ".join(_head_of(sql["head"], hospital) for hospital, _ in listed)
    positions = dict(await (await connection.execute(query, prepare=False)).fetchall())
    return [HospitalHead(hospital, partitions, positions[hospital]) for hospital, partitions in listed]


class Standing(Enum):
    """How a view stands against its hospital's ledger."""

    AT_HEAD = auto()
    BEHIND = auto()
    """There are events to handle, or the view was never built."""
    OUTDATED = auto()
    """It was built with other tables or another meaning."""
    STOPPED = auto()
    """Too many records are stopped; a person has to look."""


async def standing(pool: Pool, hospital: HospitalHead, view: View) -> Standing:
    """How a view stands; every event lies in one partition, so counts tell what positions cannot."""
    shared = shared_statements(hospital.id)
    try:
        async with pool.connection() as connection:
            live = await serving(connection, hospital.id, view)
            if live is None:
                return Standing.BEHIND
            row = await (await connection.execute(shared["handled"], (view.name, live.number))).fetchone()
    except psycopg.errors.UndefinedTable:
        return Standing.BEHIND
    if live.schema_version != view.schema_version:
        return Standing.OUTDATED
    if live.state == "stopped":
        return Standing.STOPPED
    return Standing.AT_HEAD if row and row[0] >= hospital.position else Standing.BEHIND


def _head_of(template: str, hospital: str) -> bytes:
    head = Identifier(f"h_{hospital}", "head")
    return SQL(template).format(hospital=Literal(hospital), head=head).as_bytes(None)  # pyright: ignore[reportArgumentType]
