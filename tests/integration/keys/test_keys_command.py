"""`ledger keys` as an operator runs it: make, rotate, wrap anew, destroy, and let a program have bodies opened."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ledger.api.v1.keys_pb2 import UNSEAL_PURPOSE_VIEWS
from ledger.cli.main import main
from ledger.keys.consumers_file import read_consumers
from ledger.keys.errors import UnknownToken
from ledger.keys.key_file import BACKUP_DAYS, KeyFile, read_key_file, write_key_file
from ledger.keys.key_file_keys import KeyFileKeys
from ledger.keys.key_rows import KeyRows
from ledger.keys.key_store import KeyStore
from ledger.keys.secret_file import read_line_secret
from ledger.store.connections import writer_pool
from tests.integration.keys.conftest import stream
from tests.services.postgres import Database

Run = Callable[..., Result]


@pytest.fixture
def run(database: Database, tmp_path: Path) -> Run:
    """Runs the command with the settings of an operator."""
    assert CliRunner().invoke(main, _new(tmp_path)).exit_code == 0
    environment = {
        "LEDGER_POSTGRES_KEYS_URL": database.role_url("ledger_keys"),
        "LEDGER_KEY_FILE": str(tmp_path / "keys.json"),
        "LEDGER_KEY_PASSPHRASE_FILE": str(tmp_path / "passphrase"),
    }

    def invoke(*words: str) -> Result:
        return CliRunner(env=environment).invoke(main, ["keys", *words])

    return invoke


def _new(folder: Path) -> list[str]:
    return ["keys", "kek", "new", str(folder / "keys.json"), "--passphrase-file", str(folder / "passphrase")]


def _content(folder: Path) -> KeyFile:
    return read_key_file(folder / "keys.json", read_line_secret(folder / "passphrase"))


async def _make_keys(database: Database, folder: Path, count: int) -> None:
    pool = writer_pool(database.role_url("ledger_keys"))

    async def never(*_: object) -> bool:
        return False

    encryption = KeyFileKeys(folder / "keys.json", folder / "passphrase")
    await KeyStore(KeyRows(pool), encryption, never).find_or_make([stream(number) for number in range(count)])
    await pool.close()


def test_a_generation_lives_and_dies(run: Run, database: Database, tmp_path: Path) -> None:
    """Rotate, refuse to destroy what is needed, wrap anew, destroy; the list says all of it."""
    asyncio.run(_make_keys(database, tmp_path, 30))
    assert run("kek", "rotate").exit_code == 0
    _made_earlier(tmp_path)
    refused = run("kek", "destroy", "1")
    assert (refused.exit_code, "30 keys are wrapped by it" in refused.output) == (1, True)
    assert "30 keys wrapped by generation 2" in run("rewrap").output
    assert "0 keys wrapped by generation 2" in run("rewrap").output
    early = run("kek", "destroy", "1")
    assert (early.exit_code, "a backup of the last 35 days has keys that it opens" in early.output) == (1, True)
    assert "may go" in run("kek", "list").output
    _backups_gone(tmp_path)
    assert run("kek", "destroy", "1").exit_code == 0
    assert _content(tmp_path).key_of(1) is None
    again = run("kek", "destroy", "1")
    assert (again.exit_code, "destroyed already" in again.output) == (1, True)
    newest = run("kek", "destroy", "2")
    assert (newest.exit_code, "rotate first" in newest.output) == (1, True)
    shown = run("kek", "list").output
    assert "destroyed" in shown
    assert "30" in shown


def _made_earlier(folder: Path) -> None:
    """As if the rotation had been made an hour ago: nobody wraps under the generation before any more."""
    content = _content(folder)
    older = tuple(replace(each, made_at=each.made_at - timedelta(hours=1)) for each in content.generations)
    _write(folder, replace(content, generations=older))


def _backups_gone(folder: Path) -> None:
    """As if every generation that wraps nothing had done so for longer than backups are kept."""
    content = _content(folder)
    window = timedelta(days=BACKUP_DAYS)
    older = tuple(
        replace(each, emptied_at=each.emptied_at and each.emptied_at - window) for each in content.generations
    )
    _write(folder, replace(content, generations=older))


def _write(folder: Path, content: KeyFile) -> None:
    write_key_file(folder / "keys.json", content, read_line_secret(folder / "passphrase"), os.urandom)


def test_a_rewrapping_that_is_killed_leaves_no_time_behind(
    run: Run, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A generation that wraps keys again loses the time from which it wrapped none, before the first is moved: the
    next run begins the window anew."""
    assert run("kek", "rotate").exit_code == 0
    _made_earlier(tmp_path)
    assert run("rewrap").exit_code == 0
    _backups_gone(tmp_path)
    assert _content(tmp_path).may_go_at(1) is not None
    newest = _content(tmp_path)
    _write(tmp_path, replace(newest, generations=newest.generations[:1]))
    asyncio.run(_make_keys(database, tmp_path, 3))  # as a process that has not seen the rotation
    _write(tmp_path, newest)

    async def killed(*_: object) -> None:
        raise OSError("killed")

    with monkeypatch.context() as patched:
        patched.setattr("ledger.cli.encryption_keys.rewrap_all", killed)
        assert run("rewrap").exit_code == 1
    assert _content(tmp_path).may_go_at(1) is None
    assert "3 keys wrapped by generation 2" in run("rewrap").output
    refused = run("kek", "destroy", "1")
    assert (refused.exit_code, "a backup of the last 35 days" in refused.output) == (1, True)


def test_a_key_file_is_not_made_over_another(run: Run, tmp_path: Path) -> None:
    """Status 1 and its name; the file stays."""
    del run
    before = (tmp_path / "keys.json").read_bytes()
    refused = CliRunner().invoke(main, _new(tmp_path))
    assert (refused.exit_code, "exists already" in refused.output) == (1, True)
    assert (tmp_path / "keys.json").read_bytes() == before


def test_a_file_open_to_others_is_refused_in_one_line(run: Run, tmp_path: Path) -> None:
    """No traceback, and nothing is changed."""
    (tmp_path / "keys.json").chmod(0o644)
    refused = run("kek", "rotate")
    assert (refused.exit_code, "others may read" in refused.output, "Traceback" in refused.output) == (1, True, False)


def test_a_consumer_gets_a_token_and_its_purposes(run: Run, tmp_path: Path) -> None:
    """The token stands in its own file; asked for again, the old one counts no longer."""
    consumers = tmp_path / "consumers.json"
    for number in (1, 2):
        words = (
            "consumer",
            "project",
            "--purpose",
            "views",
            "--hospital",
            "north",
            "--token-file",
            str(tmp_path / f"token-{number}"),
        )
        assert run(*words, "--consumers-file", str(consumers)).exit_code == 0
    known = read_consumers(consumers)
    found = known.of_token(read_line_secret(tmp_path / "token-2").decode())
    assert (found.name, found.purposes, found.hospitals) == ("project", {UNSEAL_PURPOSE_VIEWS}, {"north"})
    with pytest.raises(UnknownToken):
        known.of_token(read_line_secret(tmp_path / "token-1").decode())
