"""What the database itself holds fast of keys, and whom it lets see them."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.integration.keys.conftest import KeyGround, stream
from tests.services.postgres import Database

_STREAM = stream(1)


def _execute(url: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement, values)  # pyright: ignore[reportArgumentType]  # text of the test
        return cursor.fetchall() if cursor.description else []


@pytest.mark.parametrize("role", ["ledger_append", "ledger_stream", "ledger_views"])
def test_no_other_role_reads_or_writes_keys(database: Database, role: str) -> None:
    """Who appends, publishes or keeps views has no right on a single column."""
    for statement in (
        "SELECT key_id FROM ledger_keys.record_keys",
        "SELECT count(*) FROM ledger_keys.record_keys",
        "INSERT INTO ledger_keys.record_keys (origin) VALUES ('x')",
        "UPDATE ledger_keys.record_keys SET generation = 2",
        "DELETE FROM ledger_keys.record_keys",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            _execute(database.role_url(role), statement)


def test_the_role_of_keys_reads_no_events(ground: KeyGround) -> None:
    """Keys and bodies meet in no role of the database."""
    url = ground.database.role_url("ledger_keys")
    rights = "SELECT count(*) FROM information_schema.role_table_grants WHERE table_name = 'events'"
    assert _execute(url, rights) == [(0,)]


CHANGES = {
    "another wrapped key": "UPDATE ledger_keys.record_keys SET wrapped = '\\x01'",
    "an earlier generation": "UPDATE ledger_keys.record_keys SET wrapped = '\\x01', generation = 1",
    "another key id": "UPDATE ledger_keys.record_keys SET key_id = decode(repeat('00', 16), 'hex')",
    "another record": "UPDATE ledger_keys.record_keys SET stream_id = gen_random_uuid()",
    "gone without a tombstone": "DELETE FROM ledger_keys.record_keys",
    "all at once": "TRUNCATE ledger_keys.record_keys",
}


@pytest.mark.parametrize("statement", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("destroyed", [False, True], ids=["live", "tombstone"])
async def test_the_database_refuses_every_other_change(ground: KeyGround, statement: str, *, destroyed: bool) -> None:
    """Even to its superuser, and also where triggers are switched to those of a replica."""
    keys = ground.store()
    await keys.find_or_make([_STREAM])
    if destroyed:
        await keys.destroy(_STREAM, 7)
    before = await ground.rows.find([_STREAM])
    for prefix in ("", "SET session_replication_role = replica;"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            _execute(ground.database.url, prefix + statement)
    assert await ground.rows.find([_STREAM]) == before


async def test_a_tombstone_is_never_replaced(ground: KeyGround) -> None:
    """Not by a new key, not by the old row put back, not by another position."""
    keys = ground.store()
    await keys.find_or_make([_STREAM])
    columns = "origin, stream_id, key_id, wrapped"
    (live,) = _execute(ground.database.url, f"SELECT {columns} FROM ledger_keys.record_keys")  # noqa: S608 - as above
    await keys.destroy(_STREAM, 7)
    again = f"INSERT INTO ledger_keys.record_keys ({columns}, generation) VALUES (%s, %s, %s, %s, 2)"  # noqa: S608
    with pytest.raises(psycopg.errors.UniqueViolation):
        _execute(ground.database.url, again, *live)
    for change in ("wrapped = '\\x01', destroyed_by = NULL, destroyed_at = NULL, generation = 2", "destroyed_by = 8"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            _execute(ground.database.url, f"UPDATE ledger_keys.record_keys SET {change}")  # noqa: S608 - the two above
    await keys.destroy(_STREAM, 9)
    row = (await ground.rows.find([_STREAM]))[_STREAM]
    assert (row.wrapped, row.destroyed_by) == (None, 7)
