"""Which hospitals there are and where their ledgers stand; which views have not come that far."""

from collections.abc import Mapping, Sequence
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

_HEADS_PER_STATEMENT = 100


@dataclass(frozen=True, slots=True)
class HospitalHead:
    """An active hospital, the partition count of its topic and the last position of its ledger."""

    id: str
    partitions: int
    position: int


@dataclass(frozen=True, slots=True)
class Heads:
    """All active hospitals: those that can be read, and the ids of the others."""

    readable: Sequence[HospitalHead]
    unreadable: frozenset[str]
    """Their schema is gone or closed to us."""
    refused: frozenset[str]
    """This release does not serve the version of their schema."""


async def heads(connection: Connection) -> Heads:
    """All active hospitals. What is wrong with one of them takes no other away."""
    listed = await (await connection.execute(templates("projections", "projector")["hospitals"].encode())).fetchall()
    served = [(hospital, partitions) for hospital, partitions, version in listed if version in SCHEMA_VERSIONS]
    positions: dict[str, int] = {}
    for start in range(0, len(served), _HEADS_PER_STATEMENT):
        some = [hospital for hospital, _ in served[start : start + _HEADS_PER_STATEMENT]]
        positions |= await _positions(connection, some)
    return Heads(
        [HospitalHead(each, count, positions[each]) for each, count in served if each in positions],
        frozenset(each for each, _ in served if each not in positions),
        frozenset(hospital for hospital, _, version in listed if version not in SCHEMA_VERSIONS),
    )


async def _positions(connection: Connection, hospitals: Sequence[str]) -> Mapping[str, int]:
    query = b" UNION ALL ".join(map(_head_of, hospitals))
    try:
        return dict(await (await connection.execute(query, prepare=False)).fetchall())
    except psycopg.ProgrammingError:
        # One of them spoils the statement of all; asked one by one, the others are read.
        if len(hospitals) == 1:
            return {}
    found: dict[str, int] = {}
    for each in hospitals:
        found |= await _positions(connection, [each])
    return found


class Standing(Enum):
    """How a view stands against its hospital's ledger."""

    AT_HEAD = auto()
    BEHIND = auto()
    """There are events to handle, or the view was never built."""
    OUTDATED = auto()
    """It was built with other tables or another meaning, or from a stream that was laid out differently."""
    STOPPED = auto()
    """Too many records are stopped; a person has to look."""


async def standing(pool: Pool, hospital: HospitalHead, view: View, partitions: int) -> Standing:
    """How a view stands that is fed from so many partitions.

    Every event lies in one partition, so counts tell what positions cannot.
    """
    shared = shared_statements(hospital.id)
    try:
        async with pool.connection() as connection:
            live = await serving(connection, hospital.id, view)
            if live is None:
                return Standing.BEHIND
            row = await (await connection.execute(shared["handled"], (view.name, live.number))).fetchone()
    except psycopg.errors.UndefinedTable:
        return Standing.BEHIND
    events, built_from = row or (0, 0)
    # Its checkpoints say what the stream looked like: the PostgreSQL log has one partition, a topic of Kafka many.
    if live.schema_version != view.schema_version or built_from != partitions:
        return Standing.OUTDATED
    if live.state == "stopped":
        return Standing.STOPPED
    return Standing.AT_HEAD if events >= hospital.position else Standing.BEHIND


def _head_of(hospital: str) -> bytes:
    template = templates("projections", "projector")["head"]
    head = Identifier(f"h_{hospital}", "head")
    return SQL(template).format(hospital=Literal(hospital), head=head).as_bytes(None)  # pyright: ignore[reportArgumentType]
