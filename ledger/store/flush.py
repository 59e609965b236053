"""One group, one transaction, in the cheapest of three ways."""

from collections.abc import Sequence
from typing import Any

from ledger.store.append import Append, Appended, Verdict
from ledger.store.connections import Connection
from ledger.store.copy_rows import copy_rows
from ledger.store.parameters import parameters_of_group, parameters_of_one
from ledger.store.statements import statements
from ledger.store.verdicts import verdict_of_one, verdicts_of_group

COPY_EVENTS_MIN = 50
"""From here on binary COPY is cheaper than arrays."""


async def flush(connection: Connection, hospital: str, appends: Sequence[Append]) -> list[Verdict]:
    """Appends what passes its checks and commits; the verdicts in order. Nothing is visible before it is durable.

    The commands touch no command id, stream or reservation in common (see `grouping`).
    """
    if len(appends) == 1 and len(appends[0].events) == 1 and not appends[0].reservations:
        return [await _flush_one(connection, hospital, appends[0])]
    if sum(len(append.events) for append in appends) < COPY_EVENTS_MIN:
        return await _flush_arrays(connection, hospital, appends)
    return await _flush_copy(connection, hospital, appends)


async def _flush_one(connection: Connection, hospital: str, append: Append) -> Verdict:
    cursor = connection.cursor(binary=True)
    await cursor.execute(statements("append", hospital)["append_one"], parameters_of_one(append))
    row = await cursor.fetchone()
    assert row is not None, "append_one returns one row"  # noqa: S101
    return verdict_of_one(append, row)


async def _flush_arrays(connection: Connection, hospital: str, appends: Sequence[Append]) -> list[Verdict]:
    rows = await _check(connection, hospital, parameters_of_group(appends, with_events=True))
    return verdicts_of_group(appends, rows)[0]


async def _flush_copy(connection: Connection, hospital: str, appends: Sequence[Append]) -> list[Verdict]:
    named = statements("append", hospital)
    try:
        await connection.execute(named["begin"])
        rows = await _check(connection, hospital, parameters_of_group(appends, with_events=False))
        verdicts, head = verdicts_of_group(appends, rows)
        leaf = _last_leaf(appends, verdicts)
        if leaf is not None:
            async with connection.cursor().copy(named["copy_events"]) as copy:
                await copy.write(copy_rows(appends, verdicts))
            await connection.execute(named["advance_head"], (head, leaf))
        await connection.execute(named["commit"])
    except BaseException:
        await _roll_back(connection, named["rollback"])
        raise
    return verdicts


async def _check(connection: Connection, hospital: str, parameters: list[Any]) -> list[Any]:
    cursor = connection.cursor(binary=True)
    await cursor.execute(statements("append", hospital)["append_group"], parameters)
    return await cursor.fetchall()


async def _roll_back(connection: Connection, statement: bytes) -> None:
    if not connection.closed and not connection.broken:
        await connection.execute(statement)


def _last_leaf(appends: Sequence[Append], verdicts: Sequence[Verdict]) -> bytes | None:
    leaves = (
        append.events[-1].leaf_hash
        for append, verdict in zip(reversed(appends), reversed(verdicts), strict=True)
        if isinstance(verdict, Appended) and append.events
    )
    return next(leaves, None)
