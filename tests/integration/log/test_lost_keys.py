"""Keys of records that are lost whole: named, kept while their events may come back, destroyed once given up."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.sql import SQL, Identifier

from ledger.api.v1.keys_pb2 import UNSEAL_PURPOSE_ARCHIVE
from ledger.cli.bodies import bodies_with_keys
from ledger.cli.main import main
from ledger.keys import lost_keys
from ledger.keys.consumers_file import consumer, write_consumers
from ledger.trust.sealing import Destroyed, SealFault, SealFaultKind
from tests.integration.log.conftest import Integrating
from tests.integration.log.succession_ground import KEPT, Ground
from tests.integration.log.waiting import until_published


@pytest.fixture
def archive(ground: Ground, tmp_path: Path) -> None:
    """An archive office that may have taken plaintext."""
    ground.environment["LEDGER_UNSEAL_CONSUMERS_FILE"] = str(tmp_path / "consumers.json")
    made = consumer("archive-office", "t" * 43, UNSEAL_PURPOSE_ARCHIVE, hospitals=[ground.ledger.hospital])
    write_consumers(tmp_path / "consumers.json", [made])


async def run(ground: Ground, *words: str) -> tuple[int, str]:
    done = await asyncio.to_thread(lambda: CliRunner().invoke(main, words, env=ground.environment))
    return done.exit_code, done.output


def settle(ground: Ground) -> None:
    """As if the keys had been made yesterday: younger ones may be of commands that are on their way."""
    with psycopg.connect(ground.ledger.database.url) as connection:
        connection.execute("ALTER TABLE ledger_keys.record_keys DISABLE TRIGGER ALL")
        connection.execute("UPDATE ledger_keys.record_keys SET made_at = made_at - interval '1 day'")
        for trigger in ("record_keys_rows", "record_keys_whole"):
            connection.execute(f"ALTER TABLE ledger_keys.record_keys ENABLE ALWAYS TRIGGER {trigger}".encode())


def lose(ground: Ground, record: UUID) -> None:
    """The record's events are gone, and the head stays."""
    with psycopg.connect(ground.ledger.database.url) as connection:
        connection.execute("SET session_replication_role = replica")
        for table in ("events", "stream_heads"):
            place = Identifier(f"h_{ground.ledger.hospital}", table)
            connection.execute(SQL("DELETE FROM {} WHERE stream_id = %s").format(place), (record,))


def key_row(ground: Ground, record: UUID) -> tuple[object, ...]:
    """Whether the key lives, by which position it went, and what the register says of it."""
    query = """
        SELECT k.wrapped IS NOT NULL, k.destroyed_by, p.position, p.holders_known, h.kind, h.item
        FROM ledger_keys.record_keys AS k LEFT JOIN ledger_keys.purges AS p USING (origin, stream_id)
        LEFT JOIN ledger_keys.purge_holders AS h USING (origin, stream_id) WHERE stream_id = %s
    """
    with psycopg.connect(ground.ledger.database.url) as connection:
        (row,) = connection.execute(query, (record,)).fetchall()
    return row


@pytest.mark.usefixtures("archive")
async def test_keys_of_lost_records_go_once_they_are_given_up(ground: Ground) -> None:
    """The key of a record whose only event was lost is named by `verify keys` and `keys lost`; before the succession it
    stays, since its event may come back; after it it becomes a tombstone in the register. Others keep theirs."""
    hospital = ground.ledger.hospital
    async with ground.service() as service:
        record = UUID(await ground.register(service))
    assert "keys without a record" in (await run(ground, "keys", "lost", hospital))[1]
    ground.lose()
    assert f"{hospital}: 0 keys without a record" in (await run(ground, "keys", "lost", hospital))[1], (
        "too young to tell"
    )
    settle(ground)
    _, said = await run(ground, "verify", "keys", hospital)
    assert "1 keys have no record" in said
    status, said = await run(ground, "keys", "lost", hospital, "--destroy")
    assert (status, "nobody has given anything up" in said) == (1, True), said
    assert key_row(ground, record)[0] is True
    assert (await ground.succeed()).exit_code == 0
    status, said = await run(ground, "keys", "lost", hospital, "--destroy")
    assert (status, f"{record} has a key and no event" in said, "1 keys are destroyed" in said) == (0, True, True), said
    assert key_row(ground, record) == (False, KEPT + 1, KEPT + 1, False, "archive", "archive-office")
    assert (await run(ground, "keys", "lost", hospital))[1].startswith(f"{hospital}: 0 keys")
    assert key_row(ground, UUID(ground.patient))[0] is True
    await assert_destroyed(ground, record)


async def test_keys_that_may_be_needed_again_stay(
    ground: Ground, integrating: Integrating, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A succession gives up what was lost before it and nothing later: the key of a record that was lost after it
    stays, and none goes while the log stands still or has signed more than the ledger holds."""
    hospital, kept = ground.ledger.hospital, KEPT + 1
    async with ground.service() as service:
        before = UUID(await ground.register(service))
    ground.lose()
    settle(ground)
    assert (await ground.succeed()).exit_code == 0
    monkeypatch.setattr(lost_keys, "SETTLED_SECONDS", 0.0)
    async with ground.service() as service:
        after = UUID(await ground.register(service))
    async with integrating():
        await until_published(ground.new_files, kept + 1)
    rows = ground.ledger.rows_above(kept)
    ground.ledger.cut(kept)
    status, said = await run(ground, "keys", "lost", hospital, "--destroy")
    assert (status, f"has signed {kept + 1} events, the ledger has {kept}" in said) == (1, True), said
    ground.ledger.put_back(rows)
    ground.new_files.halt("publish", "the topic has more")
    status, said = await run(ground, "keys", "lost", hospital, "--destroy")
    assert (status, "the topic has more" in said) == (1, True), said
    assert [key_row(ground, each)[0] for each in (before, after)] == [True, True]
    ground.new_files.resume("publish")
    lose(ground, after)
    status, said = await run(ground, "keys", "lost", hospital, "--destroy")
    assert (status, "1 keys are destroyed" in said) == (0, True), said
    assert [key_row(ground, each)[0] for each in (before, after)] == [False, True]


async def assert_destroyed(ground: Ground, lost: UUID) -> None:
    """Who still holds lost events is told that they are destroyed, without an alarm; a record that survives is not
    destroyed by the succession, whatever the row of its key says."""
    streams = {each: (ground.old, each.bytes) for each in (lost, UUID(ground.patient))}
    async with bodies_with_keys(ground.settings) as bodies:
        assert await bodies.keys.find([streams[lost]]) == {streams[lost]: Destroyed()}
        await bodies.keys.destroy(streams[UUID(ground.patient)], KEPT + 1)
        (found,) = (await bodies.keys.find([streams[UUID(ground.patient)]])).values()
    assert isinstance(found, SealFault)
    assert found.kind is SealFaultKind.TOMBSTONE
