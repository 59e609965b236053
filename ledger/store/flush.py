"""One group, one transaction, in the cheapest of three ways."""

from collections.abc import Sequence

from psycopg import pq

from ledger.store.append import Append, Appended, Verdict
from ledger.store.connections import Connection
from ledger.store.copy_rows import copy_rows
from ledger.store.parameters import parameters_of_group, parameters_of_one
from ledger.store.round_trip import call, call_plain, call_together, copy_in
from ledger.store.statements import statements
from ledger.store.verdicts import verdict_of_one, verdicts_of_group
from ledger.store.wire import int8

COPY_EVENTS_MIN = 100
"""From here on binary COPY is worth its three more round trips, during which the head stays locked (ADR 7)."""


async def flush(connection: Connection, hospital: str, appends: Sequence[Append]) -> list[Verdict]:
    """Appends what passes its checks and commits; the verdicts in order. Nothing is visible before it is durable.

    The commands touch no command id, stream or reservation in common (see `grouping`).
    """
    if len(appends) == 1 and len(appends[0].events) == 1 and not appends[0].reservations:
        return [await _flush_one(connection, hospital, appends[0])]
    if sum(len(append.events) for append in appends) < COPY_EVENTS_MIN:
        return await _flush_arrays(connection, hospital, appends)
    return await _flush_copy(connection, hospital, appends)


async def flush_whole(connection: Connection, hospital: str, appends: Sequence[Append]) -> list[Verdict]:
    """Appends all of them, or nothing: where one is refused, `Appended` of another says only that it could have been.

    Here commands may follow one another on a stream; they share no command id and no reservation. A stream is then
    checked once, for the first command that touches it, so what is refused of the later ones is not told apart.
    """
    return await _flush_copy(connection, hospital, appends, whole=True)


async def _flush_one(connection: Connection, hospital: str, append: Append) -> Verdict:
    statement = statements("append", hospital)["append_one"]
    return verdict_of_one(append, await call(connection, statement, parameters_of_one(append)))


async def _flush_arrays(connection: Connection, hospital: str, appends: Sequence[Append]) -> list[Verdict]:
    statement = statements("append", hospital)["append_group"]
    parameters = parameters_of_group(appends, with_events=True)
    return verdicts_of_group(appends, await call(connection, statement, parameters))[0]


async def _flush_copy(
    connection: Connection, hospital: str, appends: Sequence[Append], *, whole: bool = False
) -> list[Verdict]:
    named = statements("append", hospital)
    parameters = parameters_of_group(appends, with_events=False)
    try:
        _, checked = await call_together(connection, [(named["begin"], []), (named["append_group"], parameters)])
        verdicts, head = verdicts_of_group(appends, checked)
        if whole and not were_appended(verdicts):
            await call_plain(connection, named["rollback"])
            return verdicts
        leaf = _last_leaf(appends, verdicts)
        advance = []
        if leaf is not None:
            await copy_in(connection, named["copy_events"], copy_rows(appends, verdicts))
            advance = [(named["advance_head"], [int8(head), leaf])]
        await call_together(connection, [*advance, (named["commit"], [])])
    except Exception:
        if connection.pgconn.transaction_status == pq.TransactionStatus.INERROR:
            await call_plain(connection, named["rollback"])
        raise
    return verdicts


def were_appended(verdicts: Sequence[Verdict]) -> bool:
    """Whether none of them was refused."""
    return all(isinstance(each, Appended) for each in verdicts)


def _last_leaf(appends: Sequence[Append], verdicts: Sequence[Verdict]) -> bytes | None:
    leaves = (
        append.events[-1].leaf_hash
        for append, verdict in zip(reversed(appends), reversed(verdicts), strict=True)
        if isinstance(verdict, Appended) and append.events
    )
    return next(leaves, None)
