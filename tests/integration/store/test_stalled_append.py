"""A server process that stands still inside an append keeps no other process from the hospital's head for long."""

import asyncio
import os
import pickle
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from ledger.embedded.postgres import EmbeddedPostgres
from ledger.store import connections, outcome, patience
from ledger.store.append import Appended, Repeated
from ledger.store.committer import GroupCommitter
from ledger.store.connections import ConnectionPool, is_usable
from ledger.store.errors import OutcomeUnknown, StoreUnavailable
from ledger.store.flush import COPY_EVENTS_MIN
from tests.contract.store.ledgers import Ledger, Stream, command, opened_ledger
from tests.eventually import SECONDS_MAX, eventually_async
from tests.services.postgres import Database


@asynccontextmanager
async def stopped_append(ledger: Ledger, moment: str) -> AsyncGenerator[None, None]:
    arguments = ["-m", "tests.integration.store.append_stopper", ledger.url("ledger_append"), "north", moment]
    stopper = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=PIPE)
    assert stopper.stdin is not None
    stopper.stdin.write(pickle.dumps([command(Stream().next_event()) for _ in range(COPY_EVENTS_MIN)]))
    stopper.stdin.close()
    try:
        await eventually_async(lambda: _backend(ledger, moment), what="an append that stands still")
        yield
    finally:
        stopper.kill()
        await stopper.wait()


@contextmanager
def stopped(server: EmbeddedPostgres) -> Generator[None]:
    """Every process of the server stands still: as on a host whose disk no longer answers."""
    processes = [server.pid, *_children(server.pid)]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def _children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


_BACKEND = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = 'ledger_append' AND "
_STANDS_STILL: dict[str, LiteralString] = {
    "checked": _BACKEND + "state = 'idle in transaction'",
    "copying": _BACKEND + "state = 'active' AND wait_event = 'ClientRead' AND starts_with(query, 'COPY')",
    "waiting": _BACKEND + "wait_event_type = 'Lock'",
}
"""`state` is read before `wait_event`: "active" in "ClientRead" alone can also be a backend that has just answered."""


async def _backend(ledger: Ledger, moment: str) -> int | None:
    """The process id of a backend of the append role that stands still at that moment of an append."""
    async with await psycopg.AsyncConnection.connect(ledger.database.url) as connection:
        row = await (await connection.execute(_STANDS_STILL[moment])).fetchone()
        return row[0] if row else None


@pytest.mark.parametrize("moment", ["checked", "copying"])
async def test_process_that_stands_still_inside_an_append(ledger: Ledger, moment: str) -> None:
    """PostgreSQL ends its transaction, or who waits ends its COPY: the other process's append gets through."""
    append = replace(command(Stream().next_event()), any_clock=True)
    async with stopped_append(ledger, moment):
        async with asyncio.timeout(SECONDS_MAX):
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
        backend = await eventually_async(lambda: _backend(ledger, "waiting"), what="an append that waits")
        assert backend is not None
        os.kill(backend, signal.SIGSTOP)  # stands for a backend that sits in a system call
        try:
            with pytest.raises(OutcomeUnknown):
                await waiting
        finally:
            os.kill(backend, signal.SIGCONT)
    monkeypatch.undo()
    assert isinstance(await ledger.committer.append(append), Appended | Repeated)
    assert await ledger.reader.head("north") == 1


async def test_server_that_stands_still(own_postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process of PostgreSQL goes on, no connection breaks: appends and reads end in a bounded time."""
    async with opened_ledger(Database("postgres", own_postgres.url("postgres"), own_postgres)) as ledger:
        stream = Stream()
        assert isinstance(await ledger.committer.append(command(stream.next_event())), Appended)
        assert await ledger.readers.rows(b"SELECT 1") == [(1,)]
        append = replace(command(stream.next_event()), any_clock=True)
        with stopped(own_postgres), monkeypatch.context() as limits:
            limits.setattr(patience, "FLUSH_SECONDS_MAX", 0.5)
            limits.setattr(outcome, "SECONDS_MAX", 1.0)
            limits.setattr(connections, "ROWS_TIMEOUT_S", 1.0)
            answers = await asyncio.gather(
                ledger.committer.append(append), ledger.readers.rows(b"SELECT 1"), return_exceptions=True
            )
            assert [type(answer) for answer in answers] == [OutcomeUnknown, StoreUnavailable]
        assert isinstance(await ledger.committer.append(append), Appended | Repeated)
        assert await ledger.reader.head("north") == 2
