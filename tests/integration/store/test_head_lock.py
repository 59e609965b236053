"""While another process holds the head, nothing that was checked before it commits gets through."""

import asyncio
import pickle
import sys
from asyncio.subprocess import PIPE, Process

import psycopg
import pytest

from ledger.store.append import (
    Append,
    Appended,
    Bump,
    Claim,
    Repeated,
    ReservationConflict,
    Swap,
    Verdict,
    VersionConflict,
)
from tests.contract.store.ledgers import Ledger, Stream, command
from tests.eventually import eventually_async


@pytest.mark.parametrize("companions", [0, 3, 300], ids=["alone", "arrays", "copy"])
async def test_no_stale_check_gets_through(ledger: Ledger, companions: int) -> None:
    """Every kind of check is made against what the holder of the head has just committed."""
    stream = Stream()
    await ledger.committer.append(command(stream.next_event(), reservations=(Claim("digest", b"d", b"1"),)))
    holder = await _held_head(ledger, theirs := _commands(stream))
    ours = [*_commands(stream), theirs[0], *[command(Stream().next_event()) for _ in range(companions)]]
    if companions == 0:
        verdicts = await _one_by_one_behind(holder, ledger, ours)
    else:
        waiting = asyncio.gather(*map(ledger.committer.append, ours))
        await _release(holder, ledger)
        verdicts = await waiting
    _check(stream, verdicts)
    rows = await ledger.reader.read_positions("north")
    assert [row.position for row in rows] == list(range(1, 1 + 1 + 4 + companions))


def _commands(stream: Stream) -> list[Append]:
    """The next version of the stream; a claim, a swap and a bump: all decided on what was committed so far."""
    return [
        command(stream.copy().next_event()),
        command(Stream().next_event(), reservations=(Claim("case", b"c"),)),
        command(Stream().next_event(), reservations=(Swap("digest", b"d", b"1", b"2"),)),
        command(Stream().next_event(), reservations=(Bump("patient", b"p", 0),)),
    ]


def _check(stream: Stream, verdicts: list[Verdict]) -> None:
    assert verdicts[0] == VersionConflict(stream.stream_id, 2)
    assert verdicts[1] == ReservationConflict("case", b"c", None, b"")
    assert verdicts[2] == ReservationConflict("digest", b"d", None, b"2")
    assert verdicts[3] == ReservationConflict("patient", b"p", None, b"", 1)
    assert isinstance(verdicts[4], Repeated)
    assert all(isinstance(verdict, Appended) for verdict in verdicts[5:])


async def _held_head(ledger: Ledger, appends: list[Append]) -> Process:
    arguments = ["-m", "tests.integration.store.head_holder", ledger.url("ledger_append"), "north"]
    holder = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=PIPE, stdout=PIPE)
    assert holder.stdin is not None
    assert holder.stdout is not None
    holder.stdin.write(pickle.dumps(appends))
    assert await holder.stdout.readline() == b"locked\n"
    return holder


async def _one_by_one_behind(holder: Process, ledger: Ledger, ours: list[Append]) -> list[Verdict]:
    """The first command waits alone for the holder; the others follow, each in a group of its own."""
    first = asyncio.create_task(ledger.committer.append(ours[0]))
    await _release(holder, ledger)
    return [await first, *[await ledger.committer.append(append) for append in ours[1:]]]


async def _release(holder: Process, ledger: Ledger) -> None:
    """Lets the holder append and commit, once our append is seen to wait for its lock."""
    await eventually_async(lambda: _appends_waiting(ledger), what="an append that waits for the head")
    output, _ = await holder.communicate(b"\n")
    assert output.split() == [b"Appended"] * 4 + [b"done"]


async def _appends_waiting(ledger: Ledger) -> bool:
    question = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%append_%'"
    )
    async with await psycopg.AsyncConnection.connect(ledger.database.url) as connection:
        row = await (await connection.execute(question)).fetchone()
        return bool(row and row[0])
