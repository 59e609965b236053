"""A whole ledger is checked as PostgreSQL holds it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from click.testing import CliRunner, Result

from ledger.cli.main import main
from ledger.store.append import Appended, Verdict
from ledger.store.committer import GroupCommitter
from ledger.store.connections import writer_pool
from ledger.store.errors import UnknownHospital
from ledger.store.whole_ledger import registered_hospitals, verify_stored
from ledger.trust.chain import FaultKind
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.envelope import decode
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind, SigningKey
from ledger.trust.policy import Witnessed
from ledger.trust.root_watch import RootWatch
from ledger.trust.tile_growth import TileGrowth
from ledger.trust.verify import Fault, RowFault, Summary
from tests.contract.store.ledgers import Ledger, Stream, command

CHANGES: list[tuple[LiteralString, FaultKind | RowFault, int]] = [
    ("events SET type = 'ledger.v1.EntryAmended' WHERE position = 2", RowFault.COLUMN, 2),
    ("events SET recorded_at = recorded_at + 1 WHERE position = 3", RowFault.COLUMN, 3),
    ("events SET leaf_hash = sha256(leaf_hash) WHERE position = 4", RowFault.COLUMN, 4),
    ("events SET stream_id = gen_random_uuid() WHERE position = 1", RowFault.COLUMN, 1),
    ("events SET version = 9 WHERE position = 2", RowFault.COLUMN, 2),
    ("events SET body = set_byte(body, 9, 7) WHERE position = 2", FaultKind.BODY, 2),
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


_ANY = SigningKey("o/north/1", KeyKind.ED25519, bytes(32))


def _cut_last_two(ledger: Ledger) -> None:
    """What an owner of the database can do: events, stream heads and head as if the second record had never been."""
    with psycopg.connect(ledger.database.url) as connection:
        for table in ("events", "head"):
            connection.execute(f'ALTER TABLE "h_north".{table} DISABLE TRIGGER ALL')
        connection.execute('DELETE FROM "h_north".stream_heads WHERE last_position = 4')
        connection.execute('DELETE FROM "h_north".events WHERE position > 2')
        connection.execute(
            'UPDATE "h_north".head SET position = 2, leaf_hash = (SELECT leaf_hash FROM "h_north".events'
            " WHERE position = 2)"
        )


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


@pytest.mark.parametrize(("change", "kind", "position"), CHANGES)
async def test_ranges_find_the_same(
    ledger: Ledger, change: LiteralString, kind: FaultKind | RowFault, position: int
) -> None:
    """A ledger read in ranges of one event names the same fault."""
    await _filled(ledger)
    url = ledger.url("ledger_append")
    assert await verify_stored(url, "north", range_events=1) == await verify_stored(url, "north")
    _change(ledger, change)
    found = await verify_stored(url, "north", range_events=1)
    assert isinstance(found, Fault)
    assert (found.kind, found.position) == (kind, position)


async def test_a_ledger_is_appended_to_while_it_is_checked(ledger: Ledger) -> None:
    """Between any two ranges an append goes through, while the check stands still with all that it holds.

    It holds the lock that every reader has, of no row, and tells of the ledger as it was when it began.
    """
    await _filled(ledger)
    held: set[tuple[str, str]] = set()

    def write_beside(done: int, of: int) -> None:
        del done, of
        with ThreadPoolExecutor(1) as aside, psycopg.connect(ledger.database.url) as connection:
            held.update(connection.execute(_LOCKS_OF_READERS).fetchall())
            assert isinstance(aside.submit(asyncio.run, _append_elsewhere(ledger)).result(timeout=60), Appended)

    found = await verify_stored(ledger.url("ledger_append"), "north", range_events=2, progress=write_beside)
    assert isinstance(found, Summary)
    assert found.events == 4
    assert ("head", "AccessShareLock") in held, "its snapshot; each range is read and let go"
    assert {mode for _, mode in held} == {"AccessShareLock"}
    after = await verify_stored(ledger.url("ledger_append"), "north")
    assert isinstance(after, Summary)
    assert after.events == 7, "one before the first range, one after each of two"


_LOCKS_OF_READERS: LiteralString = """
    SELECT DISTINCT c.relname::text, l.mode FROM pg_locks AS l
    JOIN pg_stat_activity AS a USING (pid) JOIN pg_class AS c ON c.oid = l.relation
    WHERE a.usename = 'ledger_append' AND a.datname = current_database() AND c.relnamespace = 'h_north'::regnamespace"""


async def _append_elsewhere(ledger: Ledger) -> Verdict:
    """As another server process does."""
    writers = writer_pool(ledger.url("ledger_append"))
    try:
        return await GroupCommitter("north", writers).append(command(Stream().next_event()))
    finally:
        await writers.close()


async def test_several_processes_read_one_snapshot(ledger: Ledger) -> None:
    """Two processes, each on ranges of its own, with progress told after every range."""
    await _filled(ledger)
    told: list[tuple[int, int]] = []
    found = await verify_stored(
        ledger.url("ledger_append"),
        "north",
        range_events=2,
        processes=2,
        progress=lambda done, of: told.append((done, of)),
    )
    assert isinstance(found, Summary)
    assert (found.events, told) == (4, [(0, 4), (2, 4), (4, 4)])


async def _root_at(ledger: Ledger, size: int) -> bytes:
    growth = TileGrowth()
    growth.extend(row.leaf_hash for row in await ledger.reader.read_positions("north", limit=size))
    return growth.root()


async def test_signed_checkpoints_are_compared(ledger: Ledger, tmp_path: Path) -> None:
    """One that holds; a remembered one that says more than there is; one of another history; one of another key."""
    await _filled(ledger)
    row = (await ledger.reader.read_positions("north", limit=1))[0]
    key = SigningKey(decode(row.envelope).origin, KeyKind.ED25519, bytes(32))
    kept = tmp_path / "kept.checkpoint"

    async def checked(size: int, root: bytes, *more: str, by: SigningKey = key) -> tuple[int, str]:
        text = Checkpoint(key.name, size, root).text()
        kept.write_bytes(Note(text, (by.sign(text),)).encode())
        trusted = ("--key", str(key.verifier()))
        result = await _verify(ledger, "north", "--checkpoint", str(tmp_path), *trusted, *more)
        return result.exit_code, result.output

    right = await _root_at(ledger, 3)
    status, said = await checked(3, right)
    assert (status, "1 signed checkpoints compared" in said) == (0, True), said
    status, said = await checked(3, right, "--since", str(kept))
    assert (status, "1 events of 2 records, positions 4 to 4" in said) == (0, True), said
    status, said = await checked(9, right)
    assert (status, "FAULT BEHIND at position 5" in said) == (1, True), said
    status, said = await checked(3, bytes(32))
    assert (status, "FAULT SIGNED_ROOT at position 3" in said) == (1, True), said
    status, said = await checked(3, right, by=replace(key, seed=bytes(31) + b"1"))
    assert (status, "no log of the policy has signed" in said) == (1, True), said
    without = await _verify(ledger, "north")
    assert "cannot be said" in without.output


async def test_a_roll_back_of_everything_is_found_by_what_somebody_remembers(ledger: Ledger) -> None:
    """A ledger cut with all its rows beside holds by itself, and not against the head that was signed before."""
    await _filled(ledger)
    size, root = 4, await _root_at(ledger, 4)
    head = Witnessed(Checkpoint("o/north/1", size, root), _ANY.verifier(), {}, None)
    url = ledger.url("ledger_append")
    assert isinstance(await verify_stored(url, "north", watch=RootWatch([head])), Summary)
    _cut_last_two(ledger)
    assert isinstance(await verify_stored(url, "north"), Summary)
    assert await verify_stored(url, "north", watch=RootWatch([head])) == Fault(RowFault.BEHIND, 3, b"", 0)


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
