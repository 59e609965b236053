"""Settings under which the edge does not start: each refused by its name, with status 2."""

from __future__ import annotations

import socket
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from ledger.embedded.postgres import EmbeddedPostgres
from tests.services.postgres import Database, create_database
from tests.services.serve_process import refusal_of, serve_environment
from tests.services.template import migrate_database


@pytest.mark.parametrize("setting", ["LEDGER_GRPC_LISTEN", "LEDGER_HTTP_LISTEN"])
@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.7:7070"])
def test_a_listener_that_others_could_reach(database: Database, tmp_path: Path, setting: str, address: str) -> None:
    """Until there is authentication, no address but loopback."""
    status, said = refusal_of(serve_environment(database, **{setting: address}), tmp_path / "ready")
    assert status == 2
    assert setting in said
    assert "loopback" in said
    assert "Traceback" not in said


def test_synchronous_commit_off(database: Database, tmp_path: Path) -> None:
    """A database that acknowledges before it is durable."""
    statement = sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(sql.Identifier(database.name))
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(statement)
    status, said = refusal_of(serve_environment(database), tmp_path / "ready")
    assert status == 2
    assert "synchronous_commit" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_does_not_flush(services_folder: Path, tmp_path: Path, setting: str) -> None:
    """A PostgreSQL that a power cut could damage."""
    with EmbeddedPostgres(services_folder / f"without-{setting}", settings={setting: "off"}) as server:
        create_database(server, "ledger")
        migrate_database(server.url("ledger"))
        database = Database("ledger", server.url("ledger"), server)
        status, said = refusal_of(serve_environment(database), tmp_path / "ready")
    server.remove_elsewhere()
    assert status == 2
    assert setting in said
    assert "Traceback" not in said


@pytest.mark.parametrize("setting", ["LEDGER_GRPC_LISTEN", "LEDGER_HTTP_LISTEN"])
def test_a_port_that_is_taken(database: Database, tmp_path: Path, setting: str) -> None:
    """One line with the setting's name and the address, status 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        status, said = refusal_of(serve_environment(database, **{setting: address}), tmp_path / "ready")
    assert status == 1
    assert f"{setting}: {address} cannot be listened on" in said
    assert "Traceback" not in said


def test_an_unknown_setting_and_a_bad_one_are_named_together(database: Database, tmp_path: Path) -> None:
    """Every fault at once, never the value of one."""
    settings = serve_environment(database, LEDGER_PARTITION="6", LEDGER_STREAM="carrier-pigeon")
    status, said = refusal_of(settings, tmp_path / "ready")
    assert status == 2
    assert "LEDGER_PARTITION:" in said
    assert "LEDGER_STREAM:" in said
    assert "pigeon" not in said
