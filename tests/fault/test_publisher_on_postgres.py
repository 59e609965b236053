"""The publisher on the PostgreSQL log: what goes to other hospitals is copied once, whoever dies."""

import asyncio
import threading
from pathlib import Path

import psycopg
import pytest

from ledger.config import load
from ledger.publisher.ledger_log import HospitalRow, LedgerLog, log_pool
from ledger.publisher.role import run_publisher
from ledger.publisher.routing import Routing
from ledger.publisher.sink import PostgresSink
from ledger.stream.contract import StreamReader
from ledger.stream.postgres.reader import transfers_reader
from tests.contract.stream.loaded_ledger import LoadedLedger
from tests.eventually import eventually
from tests.fault.publisher_process import PublisherProcess
from tests.services.postgres import Database
from tests.services.sealed import FIXED_KEY


def copied(database: Database, recipient: str) -> list[tuple[str, int]]:
    """(source, position) in the recipient's sequence, which must have no hole."""
    with psycopg.connect(database.url) as connection:
        rows = connection.execute(
            "SELECT sequence, source, position FROM ledger_control.transfer_stream"
            " WHERE recipient = %s ORDER BY sequence",
            (recipient,),
        ).fetchall()
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    return [(row[1], row[2]) for row in rows]


@pytest.mark.long
async def test_killed_publisher_copies_every_transfer_once(database: Database, tmp_path: Path) -> None:
    """kill -9 at several moments: every offer once, in the sender's order."""
    ledger = await LoadedLedger.add(database, "north", 1)
    publisher = PublisherProcess(database, "", tmp_path)
    offers: list[int] = []
    for number in range(6):
        before = ledger.progress()
        for _ in range(40):
            offers.append(ledger.offer("south"))
            ledger.append(60)
        publisher.start()
        eventually(lambda before=before: ledger.progress() > before)
        # The moment of the kill is the point of this test; nothing is waited for.
        threading.Event().wait(0.01 * number)
        publisher.kill()
        ledger.end_leases()
    publisher.start()
    eventually(lambda: ledger.progress() == ledger.head)
    publisher.stop()
    assert copied(database, "south") == [("ledger.test/north/1", position) for position in offers]


async def test_senders_at_once_make_one_sequence(database: Database) -> None:
    """Numbers become visible in their order: a reader that goes on behind one misses nothing."""
    ledgers = [await LoadedLedger.add(database, f"sender-{number}", 1) for number in range(6)]
    for ledger in ledgers:
        for _ in range(30):
            ledger.offer("south")
    url = database.role_url("ledger_stream")
    async with log_pool(url) as pool:
        log, routing = LedgerLog(pool), Routing(FIXED_KEY)

        async def copy(ledger: LoadedLedger) -> None:
            sink = PostgresSink(log, HospitalRow(ledger.hospital, f"ledger.test/{ledger.hospital}/1", 1, 1), routing)
            for row in await log.after(ledger.hospital, 0):
                await sink.publish([row])

        reader = transfers_reader(url, "south")
        reading = asyncio.create_task(asyncio.to_thread(_read_until, reader, 180))
        await asyncio.gather(*(copy(ledger) for ledger in ledgers))
        seen = await reading
    reader.close()
    assert seen == copied(database, "south")
    assert len(seen) == 180


def _read_until(reader: StreamReader, count: int) -> list[tuple[str, int]]:
    reader.seek(0, 0)
    seen: list[tuple[str, int]] = []
    eventually(lambda: len(seen) >= count or _take(reader, seen))
    return seen


def _take(reader: StreamReader, seen: list[tuple[str, int]]) -> bool:
    seen += [(event.origin, event.position) for event in reader.poll(0.2, 7)]
    return False


async def test_hospital_at_rest_costs_nothing_but_its_share_of_the_sweep(database: Database) -> None:
    """No task, lease or connection for it while nothing happens."""
    for number in range(30):
        await LoadedLedger.add(database, f"idle-{number}", 1)
    settings = load({"LEDGER_POSTGRES_STREAM_URL": database.role_url("ledger_stream")})
    stop, ready = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(run_publisher(settings, FIXED_KEY, stop, ready.set))
    await ready.wait()
    names = [task.get_name() for task in asyncio.all_tasks()]
    assert not [name for name in names if name.startswith("publish ")]
    with psycopg.connect(database.url) as connection:
        (leases,) = connection.execute("SELECT count(*) FROM ledger_control.leases").fetchone() or (None,)
    assert leases == 0
    stop.set()
    await running
