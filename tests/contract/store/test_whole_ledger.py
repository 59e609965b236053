"""A whole ledger is checked as PostgreSQL holds it."""

import asyncio
from typing import LiteralString

import psycopg
import pytest
from click.testing import CliRunner, Result

from ledger.cli.main import main
from ledger.store.errors import UnknownHospital
from ledger.store.whole_ledger import registered_hospitals, verify_stored
from ledger.trust.chain import FaultKind
from ledger.trust.verify import Fault, RowFault, Summary
from tests.contract.store.ledgers import Ledger, Stream, command

CHANGES: list[tuple[LiteralString, FaultKind | RowFault, int]] = [
    ("events SET type = 'ledger.v1.EntryAmended' WHERE position = 2", RowFault.COLUMN, 2),
    ("events SET recorded_at = recorded_at + 1 WHERE position = 3", RowFault.COLUMN, 3),
    ("events SET leaf_hash = sha256(leaf_hash) WHERE position = 4", RowFault.COLUMN, 4),
    ("events SET stream_id = gen_random_uuid() WHERE position = 1", RowFault.COLUMN, 1),
    ("events SET version = 9 WHERE position = 2", RowFault.COLUMN, 2),
    ("events SET body = 'other' WHERE position = 2", FaultKind.BODY, 2),
    ("events SET position = 9 WHERE position = 2", RowFault.POSITION, 2),
    ("head SET leaf_hash = sha256(leaf_hash)", RowFault.LEDGER_HEAD, 4),
    ("head SET position = 5", RowFault.LEDGER_HEAD, 4),
    ("stream_heads SET version = version + 1 WHERE last_position = 2", RowFault.STREAM_HEAD, 2),
    ("stream_heads SET leaf_hash = sha256(leaf_hash)", RowFault.STREAM_HEAD, 2),
    ("stream_heads SET first_position = 2 WHERE last_position = 4", RowFault.STREAM_HEAD, 4),
    ("stream_heads SET stream_id = gen_random_uuid() WHERE last_position = 2", RowFault.STREAM_HEAD, 2),
]


async def _filled(ledger: Ledger) -> None:
    first, second = Stream(), Stream()
    events = [first.next_event(), first.next_event(), second.next_event(), second.next_event()]
    await ledger.committer.append(command(*events))


def _change(ledger: Ledger, change: LiteralString) -> None:
    with psycopg.connect(ledger.database.url) as connection:
        for table in ("events", "head"):
            connection.execute(f'ALTER TABLE "h_north".{table} DISABLE TRIGGER ALL')
        connection.execute('UPDATE "h_north".' + change)


async def test_a_sound_ledger_holds(ledger: Ledger) -> None:
    """An empty one, and one with events; a hospital that is not there is named."""
    url = ledger.url("ledger_append")
    assert await verify_stored(url, "north") == Summary(0, 0, 0, 0, "", b"")
    await _filled(ledger)
    found = await verify_stored(url, "north")
    assert isinstance(found, Summary)
    assert (found.events, found.streams, found.last_position) == (4, 2, 4)
    assert await registered_hospitals(url) == ["north"]
    with pytest.raises(UnknownHospital):
        await verify_stored(url, "nowhere")


@pytest.mark.parametrize(("change", "kind", "position"), CHANGES)
async def test_any_change_is_found_and_named(
    ledger: Ledger, change: LiteralString, kind: FaultKind | RowFault, position: int
) -> None:
    """Of an event, of a column beside it, of a stream's head or of the ledger's."""
    await _filled(ledger)
    _change(ledger, change)
    found = await verify_stored(ledger.url("ledger_append"), "north")
    assert isinstance(found, Fault)
    assert (found.kind, found.position) == (kind, position)


async def test_the_command_reads_the_rows_where_it_may(ledger: Ledger) -> None:
    """It says what it compared, and names a changed copy; the same ledger read through a service would hold."""
    await _filled(ledger)
    sound = await _verify(ledger, "north")
    assert sound.exit_code == 0, sound.output
    assert "the columns beside them, stream heads and head" in sound.output
    assert "north: holds. 4 events of 2 records" in sound.output
    _change(ledger, "events SET type = 'ledger.v1.EntryAmended' WHERE position = 2")
    changed = await _verify(ledger)
    assert changed.exit_code == 1
    assert "north: FAULT COLUMN at position 2" in changed.output
    unknown = await _verify(ledger, "nowhere")
    assert unknown.exit_code == 1
    assert "nowhere" in unknown.output


async def _verify(ledger: Ledger, *hospitals: str) -> Result:
    runner = CliRunner(env={"COLUMNS": "200", "LEDGER_POSTGRES_APPEND_URL": ledger.url("ledger_append")})
    return await asyncio.to_thread(runner.invoke, main, ["verify", *hospitals])
