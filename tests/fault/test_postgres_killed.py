"""PostgreSQL is killed while 5,000 commands are appended: what was acknowledged is there, once, in order."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from ledger.embedded.postgres import EmbeddedPostgres
from ledger.store.append import Append, Appended, ClockSkew, Repeated, Verdict
from ledger.store.committer import GroupCommitter
from ledger.store.connections import writer_pool
from ledger.store.errors import OutcomeUnknown, StoreUnavailable
from ledger.store.reading import EventReader, StoredRow
from ledger.trust.chain import Link, walk_chain
from tests.contract.store.ledgers import PASSWORDS, Stream, command, opened_ledger
from tests.services.postgres import Database

STREAMS = 100
EVENTS_EACH = 50
KILLS = 3


class Lane:
    """One stream's client: sends each command until it is answered, under the same command id."""

    def __init__(self, committer: GroupCommitter) -> None:
        self.stream = Stream()
        self.answers: list[Verdict] = []
        self.commands: list[Append] = []
        self.lost = 0
        self._committer = committer

    async def run(self, acknowledged: asyncio.Semaphore) -> None:
        for _ in range(EVENTS_EACH):
            # any_clock: a command keeps its bytes over the outage, so that a doubled append would be seen.
            append = replace(command(self.stream.next_event()), any_clock=True)
            self.commands.append(append)
            self.answers.append(await self._until_answered(append))
            acknowledged.release()

    async def _until_answered(self, append: Append) -> Verdict:
        async with asyncio.timeout(60):
            while True:
                try:
                    return await self._committer.append(append)
                except (StoreUnavailable, OutcomeUnknown):
                    self.lost += 1
                    await asyncio.sleep(0)


async def test_kill_nine_of_postgres_under_load(own_postgres: EmbeddedPostgres) -> None:
    """Three kills while 100 clients append 50 events each; afterwards every answer is compared with the ledger."""
    database = Database("postgres", own_postgres.url("postgres"), own_postgres)
    async with opened_ledger(database):
        pool = writer_pool(database.url_for("ledger_append", PASSWORDS["ledger_append"]))
        committer = GroupCommitter("north", pool)
        lanes = [Lane(committer) for _ in range(STREAMS)]
        acknowledged = asyncio.Semaphore(0)
        async with asyncio.TaskGroup() as running:
            for lane in lanes:
                running.create_task(lane.run(acknowledged))
            await _kill_now_and_then(own_postgres, acknowledged)
        rows = await _all_rows(EventReader(pool))
        await pool.close()
    assert sum(lane.lost for lane in lanes) > 0, "no kill hit an append"
    _check(lanes, rows)


async def _kill_now_and_then(server: EmbeddedPostgres, acknowledged: asyncio.Semaphore) -> None:
    port = server.port
    for _ in range(KILLS):
        for _ in range(STREAMS * EVENTS_EACH // (KILLS + 2)):
            await acknowledged.acquire()
        await asyncio.to_thread(server.kill9)
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        assert server.port == port


async def _all_rows(reader: EventReader) -> list[StoredRow]:
    rows: list[StoredRow] = []
    while page := await reader.read_positions("north", len(rows)):
        rows += page
    return rows


def _check(lanes: Sequence[Lane], rows: Sequence[StoredRow]) -> None:
    assert [row.position for row in rows] == list(range(1, STREAMS * EVENTS_EACH + 1))
    by_position = {row.position: row for row in rows}
    for lane in lanes:
        for append, answer in zip(lane.commands, lane.answers, strict=True):
            assert isinstance(answer, Appended | Repeated), answer
            assert not isinstance(answer, ClockSkew)
            assert by_position[answer.first_position].envelope == append.events[0].envelope
        own = [row for row in rows if row.stream_id == lane.stream.stream_id]
        links = [Link(row.envelope, row.body, row.position, row.leaf_hash) for row in own]
        assert walk_chain(lane.stream.stream_id.bytes, links) is None
        assert len(own) == EVENTS_EACH
