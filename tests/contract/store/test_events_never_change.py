"""The database itself refuses to change an event, whoever asks."""

from typing import LiteralString

import psycopg
import pytest

from tests.contract.store.ledgers import Ledger, Stream, command

CHANGES: list[LiteralString] = [
    "UPDATE \"h_north\".events SET body = ''",
    "UPDATE \"h_north\".events SET body = '' WHERE position = 999",
    'DELETE FROM "h_north".events',
    'TRUNCATE "h_north".events',
    'TRUNCATE "h_north".events CASCADE',
    'INSERT INTO "h_north".events SELECT * FROM "h_north".events ON CONFLICT (position) DO UPDATE SET body = \'\'',
]
ROLES = ["ledger_append", "ledger_stream", "ledger_views", "ledger_keys"]


@pytest.mark.parametrize("change", CHANGES)
async def test_owner_and_superuser_are_refused_by_trigger(ledger: Ledger, change: LiteralString) -> None:
    """Not even the owner changes an event by accident."""
    await ledger.committer.append(command(Stream().next_event()))
    for url in (ledger.database.url, ledger.url("ledger_migrate")):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET ROLE ledger_owner" if "ledger_migrate" in url else "SELECT 1")
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="never changed"):
                connection.execute(change)
            connection.execute("SET session_replication_role = replica" if url == ledger.database.url else "SELECT 1")
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="never changed"):
                connection.execute(change)
    assert await ledger.reader.head("north") == 1


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("change", CHANGES)
async def test_roles_are_refused_by_their_rights(ledger: Ledger, role: str, change: LiteralString) -> None:
    """A role has no right to change events in the first place."""
    with (
        psycopg.connect(ledger.url(role), autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"),
    ):
        connection.execute(change)


@pytest.mark.parametrize("position", [0, 1])
async def test_the_head_only_grows(ledger: Ledger, position: int) -> None:
    """Nobody, the role that moves the head included, sets it back: positions would be given twice."""
    await ledger.committer.append(command(Stream().next_event()))
    for url in (ledger.url("ledger_append"), ledger.database.url):
        with (
            psycopg.connect(url, autocommit=True) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege, match="only grows"),
        ):
            connection.execute('UPDATE "h_north".head SET position = %s', (position,))


ALLOWED: list[tuple[str, LiteralString]] = [
    ("ledger_append", 'SELECT * FROM "h_north".events'),
    ("ledger_append", 'SELECT key FROM "h_north".reservation_key'),
    ("ledger_append", "UPDATE ledger_control.leases SET epoch = 1"),
    ("ledger_stream", 'SELECT * FROM "h_north".events'),
    ("ledger_stream", 'SELECT * FROM "h_north".stream_heads'),
    ("ledger_stream", "INSERT INTO ledger_control.transfer_stream VALUES ('south', 1, 'o', 1, '', '')"),
    ("ledger_views", 'SELECT position, stream_id FROM "h_north".events'),
    ("ledger_views", 'CREATE TABLE "v_north".board (id int)'),
    ("ledger_keys", "SELECT * FROM ledger_control.hospitals"),
]
FORBIDDEN: list[tuple[str, LiteralString]] = [
    ("ledger_append", 'DELETE FROM "h_north".commands'),
    ("ledger_append", 'UPDATE "h_north".commands SET version = 1'),
    ("ledger_append", 'UPDATE "h_north".reservation_key SET key = key'),
    ("ledger_append", 'CREATE TABLE "h_north".more (id int)'),
    (
        "ledger_append",
        "INSERT INTO ledger_control.hospitals (id, origin, partitions, state) VALUES ('x1', 'x', 1, 'active')",
    ),
    ("ledger_append", "SET ROLE ledger_owner"),
    ("ledger_stream", 'SELECT key FROM "h_north".reservation_key'),
    ("ledger_stream", 'SELECT * FROM "h_north".actors'),
    ("ledger_stream", "INSERT INTO \"h_north\".head VALUES (false, 1, '')"),
    ("ledger_views", 'SELECT body FROM "h_north".events'),
    ("ledger_views", 'SELECT * FROM "h_north".actors'),
    ("ledger_keys", 'SELECT * FROM "h_north".events'),
]


async def test_each_role_may_do_its_work_and_no_more(ledger: Ledger) -> None:
    """The grants of architecture.md, both ways."""
    for role, statement in ALLOWED:
        with psycopg.connect(ledger.url(role), autocommit=True) as connection:
            connection.execute(statement)
    for role, statement in FORBIDDEN:
        with (
            psycopg.connect(ledger.url(role), autocommit=True) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement)
