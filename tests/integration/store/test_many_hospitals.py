"""Many hospitals in one process: what is idle costs nothing."""

import asyncio

import psycopg

from ledger.store.append import Appended
from ledger.store.committer import GroupCommitter
from ledger.store.connections import reader_pool, writer_pool
from ledger.store.hint import HeadHint
from ledger.store.hospitals import add_hospital, list_hospitals
from ledger.store.migrate import migrate
from ledger.store.reading import EventReader
from tests.contract.store.ledgers import ORIGIN_PREFIX, PASSWORDS, Stream, command
from tests.services.postgres import Database

HOSPITALS = 60
"""What stays idle is one of few or of many alike; the whole service with 300 is in tests/e2e."""
BUSY = 5
CONNECTIONS_MAX = 60


async def test_idle_hospitals_cost_nothing(empty_database: Database) -> None:
    """60 hospitals, all used once, 5 under load: at most 60 connections, and no task for those that are idle."""
    names = await _hospitals(empty_database)
    pool = writer_pool(empty_database.url_for("ledger_append", PASSWORDS["ledger_append"]))
    readers = reader_pool(empty_database.url_for("ledger_stream", PASSWORDS["ledger_stream"]))
    reader, hint = EventReader(readers), HeadHint(readers)
    committers = {name: GroupCommitter(name, pool, hint) for name in names}
    await asyncio.gather(*[committers[name].append(command(Stream().next_event())) for name in names])
    heads = await asyncio.gather(*[reader.head(name) for name in names])
    assert heads == [1] * HOSPITALS
    await hint.close()
    assert len(asyncio.all_tasks()) == 1
    verdicts = await asyncio.gather(
        *[committers[name].append(command(Stream().next_event())) for name in names[:BUSY] for _ in range(200)]
    )
    assert all(isinstance(verdict, Appended) for verdict in verdicts)
    assert len(await list_hospitals(readers)) == HOSPITALS
    assert _connections(empty_database) <= CONNECTIONS_MAX
    await pool.close()
    await readers.close()


async def _hospitals(database: Database) -> list[str]:
    await migrate(database.url, passwords=PASSWORDS)
    names = [f"h{number:03}" for number in range(HOSPITALS)]
    url = database.url_for("ledger_migrate", PASSWORDS["ledger_migrate"])
    for name in names:
        await add_hospital(url, name, origin_prefix=ORIGIN_PREFIX)
    return names


def _connections(database: Database) -> int:
    question = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(database.url) as connection:
        row = connection.execute(question).fetchone()
    assert row is not None
    return row[0]
