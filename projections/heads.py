"""Which hospitals there are and where their ledgers stand; which views have not come that far."""

from dataclasses import dataclass
from enum import Enum, auto

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from ledger.views.schema_versions import SCHEMA_VERSIONS
from ledger.views.statements import templates
from ledger.views.view import View
from projections.connections import Connection, Pool
from projections.generation import serving
from projections.tables import shared_statements


@dataclass(frozen=True, slots=True)
class HospitalHead:
    """A hospital, its partition count and the last position of its ledger."""

    id: str
    partitions: int
    position: int


@dataclass(frozen=True, slots=True)
class Registered:
    """The hospitals whose views are built here, and those whose schema this release does not serve."""

    served: list[HospitalHead]
    refused: frozenset[str]


async def heads(connection: Connection) -> Registered:
    """All hospitals of the registry, in two queries however many there are."""
    sql = templates("projections", "projector")
    listed = await (await connection.execute(sql["hospitals"].encode())).fetchall()
    served = [(hospital, partitions) for hospital, partitions, version in listed if version in SCHEMA_VERSIONS]
    refused = frozenset(hospital for hospital, _, version in listed if version not in SCHEMA_VERSIONS)
    if not served:
        return Registered([], refused)
    query = b" UNION ALL ".join(_head_of(sql["head"], hospital) for hospital, _ in served)
    positions = dict(await (await connection.execute(query, prepare=False)).fetchall())
    found = [HospitalHead(hospital, partitions, positions[hospital]) for hospital, partitions in served]
    return Registered(found, refused)


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
