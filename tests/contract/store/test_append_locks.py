"""What the transaction of an append holds while it is open, and what it tells nobody."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import psycopg

from ledger.store.append import Append, Appended
from ledger.store.connections import Connection
from ledger.store.copy_rows import copy_rows
from ledger.store.hint import CHANNEL
from ledger.store.parameters import parameters_of_group, parameters_of_one
from ledger.store.round_trip import call, copy_in
from ledger.store.statements import statements
from ledger.store.verdicts import verdicts_of_group
from ledger.store.wire import int8
from tests.contract.store.ledgers import Ledger, Stream, command

ROW_LOCKS = {"AccessShareLock", "RowShareLock", "RowExclusiveLock"}


@asynccontextmanager
async def held_open(ledger: Ledger) -> AsyncGenerator[int]:
    """An append by each of the three ways, in one transaction that is not committed yet; its backend's process id."""
    async with ledger.writers.borrow() as connection, connection.transaction():
        await _append_each_way(connection)
        yield connection.info.backend_pid


async def _append_each_way(connection: Connection) -> None:
    named = statements("append", "north")
    stream = Stream()
    await call(connection, named["append_one"], parameters_of_one(command(stream.next_event())))
    await call(connection, named["append_group"], parameters_of_group(_pair(), with_events=True))
    pair = _pair()
    checked = await call(connection, named["append_group"], parameters_of_group(pair, with_events=False))
    verdicts, head = verdicts_of_group(pair, checked)
    await copy_in(connection, named["copy_events"], copy_rows(pair, verdicts))
    await call(connection, named["advance_head"], [int8(head), pair[-1].events[-1].leaf_hash])


def _pair() -> list[Append]:
    return [command(Stream().next_event()) for _ in range(2)]


async def test_no_table_lock(ledger: Ledger) -> None:
    """Rows are locked, no table and nothing of the whole database: reads and other hospitals' appends go on."""
    async with held_open(ledger) as backend:
        question = "SELECT locktype, mode FROM pg_locks WHERE pid = %s"
        async with await psycopg.AsyncConnection.connect(ledger.database.url) as connection:
            held = await (await connection.execute(question, (backend,))).fetchall()
        assert {mode for kind, mode in held if kind == "relation"} == ROW_LOCKS
        assert {kind for kind, _ in held} == {"relation", "transactionid", "virtualxid"}
        assert await ledger.reader.head("north") == 0
    assert await ledger.reader.head("north") == 5


async def test_no_notify(ledger: Ledger) -> None:
    """NOTIFY would serialise the commits of all hospitals: the transaction sends none, by statement or by function."""
    async with await psycopg.AsyncConnection.connect(ledger.database.url, autocommit=True) as listener:
        await listener.execute(f"LISTEN {CHANNEL}".encode())
        async with held_open(ledger):
            pass
        appends = [command(Stream().next_event()) for _ in range(130)]
        verdicts = await asyncio.gather(*map(ledger.committer.append, appends))
        assert all(isinstance(verdict, Appended) for verdict in verdicts)
        assert [notice async for notice in listener.notifies(timeout=0)] == []
        question = (
            "SELECT count(*) FROM pg_proc WHERE pronamespace = 'h_north'::regnamespace AND prosrc ILIKE '%notify%'"
        )
        assert await (await listener.execute(question)).fetchone() == (0,)
