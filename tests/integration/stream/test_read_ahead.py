"""The publisher reads one page ahead of what it publishes, and never hands out another page than the one asked for."""

import asyncio

from ledger.publisher.ledger_log import BATCH, LedgerLog, log_pool
from ledger.publisher.read_ahead import ReadAhead
from tests.contract.stream.loaded_ledger import LoadedLedger
from tests.services.postgres import Database


def _ahead() -> list[asyncio.Task[object]]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "read ahead"]


async def test_every_page_is_the_one_asked_for(database: Database) -> None:
    """In order, from another place, and again; behind a page that is not full nothing is read ahead."""
    ledger = await LoadedLedger.add(database, "north", 1)
    ledger.append(2 * BATCH + 3)
    async with log_pool(database.role_url("ledger_stream")) as pool:
        pages = ReadAhead(LedgerLog(pool), "north")
        for after, upto in ((0, BATCH), (BATCH, 2 * BATCH), (5, BATCH + 5), (2 * BATCH, 2 * BATCH + 3)):
            rows = await pages.after(after)
            assert [row.position for row in rows] == list(range(after + 1, upto + 1))
        assert not _ahead()
        assert await pages.after(2 * BATCH + 3) == []
        await pages.close()


async def test_a_page_that_nobody_asks_for_is_given_up(database: Database) -> None:
    """Closing leaves no task behind, and what was being read is read again by whoever comes next."""
    ledger = await LoadedLedger.add(database, "north", 1)
    ledger.append(BATCH + 1)
    async with log_pool(database.role_url("ledger_stream")) as pool:
        pages = ReadAhead(LedgerLog(pool), "north")
        await pages.after(0)
        assert len(_ahead()) == 1
        await pages.close()
        assert not _ahead()
        assert [row.position for row in await pages.after(BATCH)] == [BATCH + 1]
