"""A connection that is lost in the middle of an append: the store is asked, nothing is appended twice."""

import asyncio
from collections.abc import Callable

import psycopg
import pytest

from ledger.store import outcome
from ledger.store.append import Appended, Repeated
from ledger.store.committer import GroupCommitter
from ledger.store.connections import writer_pool
from ledger.store.errors import OutcomeUnknown, StoreUnavailable
from tests.contract.store.ledgers import PASSWORDS, Ledger, Stream, command
from tests.eventually import eventually_async
from tests.services.proxy import TcpProxy

MakeProxy = Callable[[int], TcpProxy]


def through(proxy: TcpProxy, ledger: Ledger) -> str:
    password = PASSWORDS["ledger_append"]
    return f"postgresql://ledger_append:{password}@127.0.0.1:{proxy.port}/{ledger.database.name}"


async def _held(ledger: Ledger) -> psycopg.AsyncConnection:
    """A transaction that holds the head, so that appends wait inside the server."""
    connection = await psycopg.AsyncConnection.connect(ledger.url("ledger_append"))
    await connection.execute('SELECT * FROM "h_north".head FOR UPDATE')
    return connection


async def _appends_waiting(ledger: Ledger) -> bool:
    question = (
        "SELECT 1 FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%append_%'"
    )
    async with await psycopg.AsyncConnection.connect(ledger.database.url) as connection:
        return await (await connection.execute(question)).fetchone() is not None


@pytest.mark.parametrize("count", [1, 5, 60, 300])
async def test_cut_before_the_commit(ledger: Ledger, tcp_proxy: MakeProxy, count: int) -> None:
    """The append still waits inside the server: it is ended there first, and only then is "not there" believed."""
    proxy = tcp_proxy(ledger.database.server.port)
    pool = writer_pool(through(proxy, ledger))
    committer = GroupCommitter("north", pool)
    appends = [command(Stream().next_event()) for _ in range(count)]
    holder = await _held(ledger)
    waiting = asyncio.gather(*map(committer.append, appends), return_exceptions=True)
    await eventually_async(lambda: _appends_waiting(ledger), what="an append that waits for the head")
    proxy.cut()
    results = await waiting
    await holder.close()
    assert {type(result) for result in results} == {StoreUnavailable}
    assert await ledger.reader.head("north") == 0
    again = await asyncio.gather(*map(committer.append, appends))
    assert all(isinstance(verdict, Appended) for verdict in again)
    assert await ledger.reader.head("north") == count
    await pool.close()


async def test_cut_after_the_commit(ledger: Ledger, tcp_proxy: MakeProxy) -> None:
    """The answer is lost, the append is not: the caller learns the positions that it got."""
    proxy = tcp_proxy(ledger.database.server.port)
    pool = writer_pool(through(proxy, ledger))
    committer = GroupCommitter("north", pool)
    first = command(Stream().next_event())
    await committer.append(first)
    append = command(Stream().next_event())
    holder = await _held(ledger)
    waiting = asyncio.create_task(committer.append(append))
    await eventually_async(lambda: _appends_waiting(ledger), what="an append that waits for the head")
    proxy.deafen()
    await holder.rollback()
    await eventually_async(lambda: ledger.reader.command("north", append.command_id), what="the commit")
    proxy.cut()
    proxy.hear()
    assert await waiting == Repeated(2, 2, append.stream_id, 1, b"result")
    assert isinstance(await committer.append(append), Repeated)
    await holder.close()
    await pool.close()


async def test_store_that_cannot_be_asked(
    ledger: Ledger, tcp_proxy: MakeProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a bounded number of attempts the outcome is said to be unknown; the next append works again."""
    monkeypatch.setattr(outcome, "ATTEMPTS_MAX", 2)
    proxy = tcp_proxy(ledger.database.server.port)
    pool = writer_pool(through(proxy, ledger))
    committer = GroupCommitter("north", pool)
    append = command(Stream().next_event())
    holder = await _held(ledger)
    waiting = asyncio.create_task(committer.append(append))
    await eventually_async(lambda: _appends_waiting(ledger), what="an append that waits for the head")
    proxy.stop()
    with pytest.raises(OutcomeUnknown) as caught:
        await waiting
    assert caught.value.command_id == append.command_id
    await holder.close()
    proxy.resume()
    assert isinstance(await committer.append(append), Appended | Repeated)
    assert await ledger.reader.head("north") == 1
    await pool.close()


async def test_no_server_at_all(ledger: Ledger, tcp_proxy: MakeProxy) -> None:
    """Where no connection can be had nothing is unknown: nothing was sent."""
    proxy = tcp_proxy(ledger.database.server.port)
    proxy.stop()
    pool = writer_pool(through(proxy, ledger))
    with pytest.raises(StoreUnavailable):
        await GroupCommitter("north", pool).append(command(Stream().next_event()))
    await pool.close()


async def test_caller_that_goes_away_does_not_stop_the_append(ledger: Ledger) -> None:
    """A cancelled caller leaves its command and the others of the group as they are."""
    appends = [command(Stream().next_event()) for _ in range(3)]
    tasks = [asyncio.create_task(ledger.committer.append(append)) for append in appends]
    await asyncio.sleep(0)
    tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[1], asyncio.CancelledError)
    await ledger.committer.close()
    assert await ledger.reader.head("north") == 3
