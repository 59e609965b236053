"""Prepared statements are bounded on each connection, and hospitals share the connections."""

import asyncio

import pytest

from ledger.store import round_trip
from ledger.store.append import Append, Appended
from ledger.store.committer import GroupCommitter
from ledger.store.connections import ConnectionPool
from ledger.store.flush import COPY_EVENTS_MIN
from ledger.store.hospitals import add_hospital
from ledger.store.wire import read_int
from tests.contract.store.ledgers import ORIGIN_PREFIX, Ledger, Stream, command

ROUNDS = 3


async def test_no_statement_makes_room_for_another_of_its_call(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for two statements only, groups of every size go through in turns, in two hospitals, on one backend."""
    monkeypatch.setattr(round_trip, "PREPARED_MAX", 2)
    await add_hospital(ledger.url("ledger_migrate"), "south", origin_prefix=ORIGIN_PREFIX)
    pool = ConnectionPool(ledger.url("ledger_append"), limit=1)
    async with pool.borrow() as connection:
        backend = connection.info.backend_pid
    async with asyncio.timeout(30):
        for _ in range(ROUNDS):
            for hospital in ("north", "south"):
                committer = GroupCommitter(hospital, pool)
                for size in (1, 3, COPY_EVENTS_MIN):
                    verdict = await committer.append(_command(size))
                    assert isinstance(verdict, Appended)
    async with pool.borrow() as connection:
        assert (connection.info.backend_pid, len(connection.prepared)) == (backend, 2)
    await pool.close()


async def test_statement_used_long_ago_and_needed_now_stays(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest statement does not make room for another one of the same round trip."""
    monkeypatch.setattr(round_trip, "PREPARED_MAX", 2)
    async with ledger.readers.borrow() as connection:
        for statement in (b"SELECT 1", b"SELECT 2"):
            await round_trip.call(connection, statement, [])
        first, third = await round_trip.call_together(connection, [(b"SELECT 1", []), (b"SELECT 3", [])])
        assert [read_int(result.get_value(0, 0)) for result in (first, third)] == [1, 3]
        assert list(connection.prepared) == [b"SELECT 1", b"SELECT 3"]


async def test_connection_in_pipeline_mode_is_not_lent_again(ledger: Ledger) -> None:
    """Whoever fails between two answers of one round trip takes the connection with him."""
    pool = ConnectionPool(ledger.url("ledger_append"), limit=1)
    async with pool.borrow() as connection:
        connection.pgconn.enter_pipeline_mode()
    assert connection.closed
    assert isinstance(await GroupCommitter("north", pool).append(_command(COPY_EVENTS_MIN)), Appended)
    await pool.close()


def _command(events: int) -> Append:
    stream = Stream()
    return command(*[stream.next_event() for _ in range(events)])
