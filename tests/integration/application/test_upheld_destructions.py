"""A destruction that only a succession still knows is applied wherever keys come back, or nothing is opened."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import pytest

from ledger.keys.errors import KeysHeldBack
from ledger.keys.purge_rows import REGISTER_START
from ledger.trust.sealing import Destroyed, Opened
from tests.integration.application.disposal_ground import Office
from tests.integration.application.test_erasure import put_body
from tests.integration.application.test_restored_keys import another, integrated, opened, program, serving
from tests.integration.application.test_unknown_destructions import APPROVED, lose_bundles
from tests.integration.application.written import HOSPITAL
from tests.services.postgres import Database
from tests.services.serve_process import serve_environment

ORIGIN = f"ledger.example/{HOSPITAL}/1"
KEY_COLUMNS = "origin, stream_id, key_id, generation, wrapped, made_at"


class Succeeded(NamedTuple):
    """A ledger whose RecordDestroyed was given up with its log."""

    database: Database
    record_id: str
    list_id: str
    lost: int
    """Position of the RecordDestroyed in the log that ended."""
    older_keys: Path
    """Backup of the keys from before the destruction."""
    log: Path
    key_row: tuple[Any, ...]
    """The record's as it was before the destruction."""


async def succeeded(database: Database, folder: Path) -> Succeeded:
    """Restored from before the destruction with newer keys, and succeeded."""
    events, keys, older, data = folder / "events", folder / "keys", folder / "older-keys", folder / database.name
    async with serving(serve_environment(database)) as process:
        await process.ledger.add_hospital(HOSPITAL, 1, "")
        office = Office(process.ledger)
        record_id, list_id = await office.condemned(await office.patient())
        before = await process.ledger.head(HOSPITAL)
        await program(database, folder, "backup", str(events), "--keys-to", str(older))
        row = key_row(database, record_id)
        await office.destroy(record_id, list_id)
        await process.follower.catch_up()
    await integrated(database, data, before + 1)
    await program(database, folder, "backup", "--keys-to", str(keys))
    lose_bundles(data / "log")
    restored = another(database)
    words = ("restore", str(events), "--keys", str(keys), "--log", str(data / "log"), "--for-repair")
    await program(restored, folder, *words)
    shutil.copytree(data / "keys", folder / restored.name / "keys")
    ending = ("repair", "succeed", HOSPITAL, *APPROVED, "--reason", "STORAGE_LOST")
    await program(restored, folder, *ending, LEDGER_LOG_PASSPHRASE_FILE=str(data / "passphrase"))
    assert {*(await opened(restored, record_id))} == {Destroyed()}
    return Succeeded(restored, record_id, list_id, before + 1, older, folder / restored.name / "log", row)


def key_row(database: Database, record_id: str) -> tuple[Any, ...]:
    """Of a live key."""
    with psycopg.connect(database.url) as connection:
        query = f"SELECT {KEY_COLUMNS} FROM ledger_keys.record_keys WHERE stream_id = %s"  # noqa: S608 - the names above
        (row,) = connection.execute(query.encode(), (record_id,)).fetchall()
    return row


def put_row_back(found: Succeeded, *, erased_up_to: bool) -> None:
    """The key's row as before, and nothing in the register; also how far the keys were compared where wanted."""
    with psycopg.connect(found.database.url) as connection:
        connection.execute("ALTER TABLE ledger_keys.record_keys DISABLE TRIGGER ALL")
        connection.execute("DELETE FROM ledger_keys.purge_holders")
        connection.execute("DELETE FROM ledger_keys.purges")
        if erased_up_to:
            connection.execute("DELETE FROM ledger_keys.erased_up_to")
        connection.execute("DELETE FROM ledger_keys.record_keys WHERE stream_id = %s", (found.record_id,))
        insert = f"INSERT INTO ledger_keys.record_keys ({KEY_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s)"  # noqa: S608 - the names above
        connection.execute(insert.encode(), found.key_row)
        for trigger in ("record_keys_rows", "record_keys_whole"):
            connection.execute(f"ALTER TABLE ledger_keys.record_keys ENABLE ALWAYS TRIGGER {trigger}".encode())


async def test_keys_from_before_an_upheld_destruction_open_nothing(database: Database, tmp_path: Path) -> None:
    """Which record it was stands in a list that only a younger key opens. The restore says so, and any server that
    meets such keys holds the records back by itself; two persons release them, for good."""
    found = await succeeded(database, tmp_path)
    events, words = tmp_path / "succeeded", ("keys", "release", HOSPITAL, *APPROVED, "--reason", "LOSS_GIVEN_UP")
    await program(found.database, tmp_path, "backup", str(events))
    older = another(database)
    said = await program(
        older, tmp_path, "restore", str(events), "--keys", str(found.older_keys), "--log", str(found.log)
    )
    assert f"which of them stay destroyed stands at position {found.lost + 1}" in said
    for stream_id in (found.record_id, found.list_id):
        with pytest.raises(KeysHeldBack):
            await opened(older, stream_id)
    with psycopg.connect(older.url) as connection:
        connection.execute("DELETE FROM ledger_keys.held_back")  # as where the tables of keys were put back by hand
    with pytest.raises(KeysHeldBack):
        await opened(older, found.list_id)
    unread = await program(older, tmp_path, "verify", "keys", HOSPITAL, status=1)
    assert "FAULT UPHELD" in unread
    await program(older, tmp_path, *words)
    assert all(isinstance(each, Opened) for each in await opened(older, found.list_id))


@pytest.mark.parametrize("looked_at_again", [True, False])
async def test_a_key_that_an_upheld_destruction_took_is_found_and_goes_again(
    database: Database, tmp_path: Path, *, looked_at_again: bool
) -> None:
    """Today's keys with its one row from before: `verify keys` names it, the next start that looks destroys it, and the
    register has it again, of whose holders it does not know all."""
    found = await succeeded(database, tmp_path)
    put_row_back(found, erased_up_to=looked_at_again)
    said = await program(found.database, tmp_path, "verify", "keys", HOSPITAL, status=1)
    assert f"FAULT KEY_PUT_BACK, record {found.record_id}" in said
    if not looked_at_again:
        return
    assert {*(await opened(found.database, found.record_id))} == {Destroyed()}
    async with serving(serve_environment(found.database)) as process:
        (purge,) = await process.bodies.purges.page(ORIGIN, REGISTER_START, 10, only_open=False)
    assert (purge.stream_id, purge.position, purge.holders_known) == (UUID(found.record_id), found.lost, False)
    assert [each.item for each in purge.holders] == ["archive-office"]
    assert "holds. The keys of" in await program(found.database, tmp_path, "verify", "keys", HOSPITAL)


async def test_a_damaged_list_holds_nobody_back(database: Database, tmp_path: Path) -> None:
    """Its key is there, and so are the tombstones of the same keys: it is named and tried again, everybody else is
    read."""
    found = await succeeded(database, tmp_path)
    with psycopg.connect(found.database.url) as connection:
        query = "SELECT body FROM h_north.events WHERE position = %s"
        ((body,),) = connection.execute(query, (found.lost + 1,)).fetchall()
        connection.execute("DELETE FROM ledger_keys.erased_up_to")
    put_body(found.database, found.lost + 1, body[:-1] + bytes([body[-1] ^ 1]))
    assert all(isinstance(each, Opened) for each in await opened(found.database, found.list_id))
    assert "FAULT UPHELD" in await program(found.database, tmp_path, "verify", "keys", HOSPITAL, status=1)
