"""The integrator and its database: each statement fails once, and the process is killed under load; the log holds."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ledger.blobs.directory import DirectoryBlobs
from ledger.config import Settings
from ledger.integrator import hospital_integrator
from ledger.integrator.ledger_rows import LedgerRows
from ledger.integrator.log_keys import LogKeys
from ledger.integrator.role import Log
from ledger.lease import Lease, Leases
from ledger.log.fsck import check_log
from ledger.log.log_files import LogFiles
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Frontier
from ledger.trust.note_key import VerifierKey
from tests.contract.stream.loaded_ledger import ORIGIN_PREFIX, LoadedLedger
from tests.eventually import eventually
from tests.fault.broken_files import die, in_a_child
from tests.integration.log.conftest import Integrating, integrating_at
from tests.integration.log.waiting import until_published
from tests.services.postgres import Database

_PROJECT = Path(__file__).parents[3]


STATEMENTS_MIN, STATEMENTS_MAX = 8, 60
"""Between them lies how many statements a run has."""


def lose_connection() -> None:
    """What a statement meets whose server is gone."""
    raise psycopg.OperationalError


class Failing:
    """Lets one call of the database fail, counted over everything that an integrator asks of it."""

    def __init__(self, patch: pytest.MonkeyPatch, break_off: Callable[[], None] = lose_connection) -> None:
        self._break_off = break_off
        self.count = 0
        self.at = 0
        for owner, name in ((LedgerRows, "_rows"), (Leases, "acquire"), (Lease, "renew"), (Lease, "release")):
            patch.setattr(owner, name, self._wrapped(getattr(owner, name)))

    def _wrapped(self, real: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*arguments: Any) -> Any:
            self.count += 1
            if self.count == self.at:
                self._break_off()
            return await real(*arguments)

        return call


async def test_any_statement_may_fail(
    ledger: LoadedLedger,
    files: LogFiles,
    integrating: Integrating,
    log_key: Callable[[], VerifierKey],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whichever of its statements fails, the integrator goes on after a rest, and the log is whole."""
    monkeypatch.setattr(hospital_integrator, "RETRY_SECONDS_MAX", 0.05)
    monkeypatch.setattr(hospital_integrator, "HELD_ELSEWHERE_SECONDS", 0.1)
    failing = Failing(monkeypatch)
    ledger.append(300)
    for at in range(1, STATEMENTS_MAX):
        head = ledger.append(30)
        failing.count, failing.at = 0, at
        async with integrating():
            await until_published(files, head)
        ledger.end_leases()
        if failing.count < at:
            break  # it came to its end with fewer: each of them has failed once
    assert STATEMENTS_MIN < failing.at < STATEMENTS_MAX - 1
    assert check_log(files.read, log_key()).checkpoint == expected(ledger)


def test_at_any_statement_it_may_be_killed(
    ledger: LoadedLedger, files: LogFiles, settings: Settings, blobs: DirectoryBlobs, keys: LogKeys
) -> None:
    """kill -9 as it asks the database, at every question of a whole run: the next run goes on with the same tree."""
    keys.of(f"{ORIGIN_PREFIX}/{ledger.hospital}/1")
    ledger.append(300)
    at, ended_by = 0, signal.SIGKILL.value
    while ended_by:
        at += 1
        head = ledger.append(30)

        async def integrate(head: int = head) -> None:
            async with integrating_at(settings, Log(blobs, keys, None)):
                await until_published(files, head)

        ended_by = in_a_child(lambda at=at, integrate=integrate: _dying(at, integrate))
        assert heads(files) <= {expected(ledger, each.size) for each in heads(files)}
        ledger.end_leases()
    assert STATEMENTS_MIN < at < STATEMENTS_MAX
    assert heads(files) == {expected(ledger)}
    key = keys.of(f"{ORIGIN_PREFIX}/{ledger.hospital}/1")[0].verifier()
    assert check_log(files.read, key).checkpoint == expected(ledger)


def _dying(at: int, integrate: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        failing = Failing(patch, die)
        failing.at = at
        asyncio.run(integrate())


def test_killed_under_load_it_signs_one_root_of_each_size(
    ledger: LoadedLedger, files: LogFiles, database: Database, tmp_path: Path
) -> None:
    """Six kill -9 while the ledger grows: whatever was signed or published at each is of the ledger's own tree."""
    dice = random.Random(5)  # noqa: S311  # moments, not secrets
    (tmp_path / "passphrase").touch(0o600)
    (tmp_path / "passphrase").write_text("a passphrase of the tests\n")
    seen: set[Checkpoint] = set()
    for number in range(7):
        ledger.append(900)
        process = started(database, tmp_path)
        try:
            eventually(lambda: heads(files) - seen, what="a new head")
            if number == 6:
                eventually(lambda: expected(ledger) in heads(files))
            else:
                # The moment of the kill is the point of this test; nothing is waited for.
                ledger.append(dice.randrange(1, 2000))
        finally:
            process.kill()
            process.wait(60)
        seen.update(heads(files))
        ledger.end_leases()
    stored = ledger.stored()
    frontier = Frontier()
    roots: dict[int, bytes] = {0: frontier.root()}
    for position in range(1, len(stored) + 1):
        frontier.append(leaf_hash(stored[position][0]))
        roots[position] = frontier.root()
    assert {each.root == roots[each.size] for each in seen} == {True}


def expected(ledger: LoadedLedger, size: int | None = None) -> Checkpoint:
    """The head of the ledger's first events, of all for None."""
    stored = ledger.stored()
    frontier = Frontier()
    frontier.extend(
        leaf_hash(stored[position][0]) for position in range(1, (len(stored) if size is None else size) + 1)
    )
    return Checkpoint(f"{ORIGIN_PREFIX}/{ledger.hospital}/1", frontier.size, frontier.root())


def heads(files: LogFiles) -> set[Checkpoint]:
    """What is signed and published now."""
    return {parse_checkpoint(note.text) for note in (files.signed(), files.published()) if note}


def started(database: Database, folder: Path) -> subprocess.Popen[bytes]:
    """`ledger integrate` on this test's folder."""
    settings = {
        "LEDGER_POSTGRES_STREAM_URL": database.role_url("ledger_stream"),
        "LEDGER_DATA_DIR": str(folder),
        "LEDGER_LOG_PASSPHRASE_FILE": str(folder / "passphrase"),
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LEDGER_")}
    with (folder / "integrate.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "ledger.cli.main", "integrate", "--make-keys"],
            cwd=_PROJECT, env={**inherited, **settings}, stdout=log, stderr=log,
        )  # fmt: skip
