"""A server process that stands still inside an append keeps no other process from the hospital's head for long."""

import asyncio
import os
import pickle
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import psycopg
import pytest

from ledger.store import outcome, patience
from ledger.store.append import Appended, Repeated
from ledger.store.committer import GroupCommitter
from ledger.store.connections import ConnectionPool, is_usable
from ledger.store.errors import OutcomeUnknown, StoreUnavailable
from ledger.store.flush import COPY_EVENTS_MIN
from tests.contract.store.ledgers import Ledger, Stream, command
from tests.eventually import eventually_async

WAIT_SECONDS_MAX = 20.0


@asynccontextmanager
async def stopped_append(ledger: Ledger, moment: str) -> AsyncGenerator[None, None]:
    arguments = ["-m", "tests.integration.store.append_stopper", ledger.url("ledger_append"), "north", moment]
    stopper = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=PIPE)
    assert stopper.stdin is not None
    stopper.stdin.write(pickle.dumps([command(Stream().next_event()) for _ in range(COPY_EVENTS_MIN)]))
    stopper.stdin.close()
    try:
        state = "idle in transaction" if moment == "checked" else "active"
        await eventually_async(lambda: _backend(ledger, state), what="an append that stands still")
        yield
    finally:
        stopper.kill()
        await stopper.wait()


async def _backend(ledger: Ledger, state: str) -> int | None:
    """The process id of a backend of the append role that waits for its client, or for a lock."""
    question = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = 'ledger_append'"
        " AND wait_event IN ('ClientRead', 'transactionid', 'tuple') AND state = %s"
    )
    async with await psycopg.AsyncConnection.connect(ledger.database.url) as connection:
        row = await (await connection.execute(question, (state,))).fetchone()
        return row[0] if row else None


@pytest.mark.parametrize("moment", ["checked", "copying"])
async def test_process_that_stands_still_inside_an_append(ledger: Ledger, moment: str) -> None:
    """PostgreSQL ends its transaction, or who waits ends its COPY: the other process's append gets through."""
    append = replace(command(Stream().next_event()), any_clock=True)
    async with stopped_append(ledger, moment):
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            assert isinstance(await ledger.committer.append(append), Appended)
    assert await ledger.reader.head("north") == 1


async def test_head_that_stays_locked(ledger: Ledger) -> None:
    """PostgreSQL says that it gave up: nothing was written, and the connection is good for the next append."""
    pool = ConnectionPool(ledger.url("ledger_append"), options="-c lock_timeout=100ms", limit=1)
    committer, append = GroupCommitter("north", pool), command(Stream().next_event())
    async with await psycopg.AsyncConnection.connect(ledger.url("ledger_append")) as holder:
        await holder.execute('SELECT * FROM "h_north".head FOR UPDATE')
        async with pool.borrow() as connection:
            backend = connection.info.backend_pid
        with pytest.raises(StoreUnavailable):
            await committer.append(append)
    async with pool.borrow() as connection:
        assert is_usable(connection)
        assert connection.info.backend_pid == backend
    assert isinstance(await committer.append(append), Appended)
    await pool.close()


async def test_backend_that_does_not_answer(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flush waits a bounded time. "Not stored" is not said of a backend that will not end: it may still commit."""
    monkeypatch.setattr(patience, "FLUSH_SECONDS_MAX", 0.5)
    monkeypatch.setattr(outcome, "ATTEMPTS_MAX", 2)
    append = command(Stream().next_event())
    async with await psycopg.AsyncConnection.connect(ledger.url("ledger_append")) as holder:
        await holder.execute('SELECT * FROM "h_north".head FOR UPDATE')
        waiting = asyncio.create_task(ledger.committer.append(append))
        backend = await eventually_async(lambda: _backend(ledger, "active"), what="an append that waits")
        assert backend is not None
        os.kill(backend, signal.SIGSTOP)  # stands for a backend that sits in a system call
        try:
            with pytest.raises(OutcomeUnknown):
                await waiting
        finally:
            os.kill(backend, signal.SIGCONT)
    assert isinstance(await ledger.committer.append(append), Appended | Repeated)
    assert await ledger.reader.head("north") == 1
