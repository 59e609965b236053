"""`complete` is said once no backup that is kept opens the record, whoever rotated, forgot or hurried before."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger.api.v1.purges_pb2 import ListPurgesRequest, Purge
from ledger.keys.key_file import (
    BACKUP_DAYS,
    COST_OF_A_RANDOM_PASSPHRASE,
    KeyFile,
    new_key_file,
    read_key_file,
    write_key_file,
)
from ledger.keys.secret_file import write_secret
from ledger.server.purges import Purges
from tests.integration.application.disposal_ground import Office
from tests.integration.application.test_restored_keys import Process, program, serving
from tests.integration.application.written import HOSPITAL
from tests.services.postgres import Database
from tests.services.serve_process import serve_environment

PASSPHRASE = b"a passphrase for tests"
WINDOW = timedelta(days=BACKUP_DAYS)


@dataclass
class Purging:
    """A server, and an operator beside it."""

    process: Process
    database: Database
    folder: Path

    @property
    def files(self) -> dict[str, str]:
        """Settings of its key file."""
        return key_files(self.folder)

    def content(self) -> KeyFile:
        """What lies in the key file."""
        return read_key_file(self.folder / "keys.json", PASSPHRASE)

    async def run(self, *words: str, at: datetime, status: int = 0) -> str:
        """A command of the operator, as at a time."""
        (self.folder / "clock").write_text(at.isoformat())
        driven = {"LEDGER_CLOCK_FILE": str(self.folder / "clock"), "LEDGER_TEST_CLOCK": "1"}
        return await program(self.database, self.folder, *words, status=status, **self.files, **driven)

    async def purge(self, at: datetime) -> str:
        """`ledger purge run`, as at a time."""
        return await self.run("purge", "run", "--superuser-url", self.database.url, at=at)

    async def listed(self, at: datetime) -> Purge:
        """The one row of the register, as at a time."""

        async def origin_of(_: str) -> str:
            return f"ledger.example/{HOSPITAL}/1"

        async def generations() -> KeyFile:
            return self.content()

        purges = Purges(self.process.bodies.purges, origin_of, generations, lambda: at)
        (row,) = (await purges.list_purges(ListPurgesRequest(hospital=HOSPITAL))).purges
        return row


def key_files(folder: Path) -> dict[str, str]:
    """Settings that name a key file of the test's own."""
    return {
        "LEDGER_KEY_FILE": str(folder / "keys.json"),
        "LEDGER_KEY_PASSPHRASE_FILE": str(folder / "key-passphrase"),
    }


def write(folder: Path, content: KeyFile, *, new: bool = False) -> None:
    """The key file."""
    cost = COST_OF_A_RANDOM_PASSPHRASE
    write_key_file(folder / "keys.json", content, PASSPHRASE, os.urandom, new=new, cost=cost)


@pytest.fixture
async def purging(database: Database, tmp_path: Path) -> AsyncIterator[Purging]:
    """Its first generation is 80 days old."""
    write_secret(tmp_path / "key-passphrase", PASSPHRASE)
    write(tmp_path, new_key_file(datetime.now(UTC) - timedelta(days=80), os.urandom), new=True)
    async with serving(serve_environment(database) | key_files(tmp_path)) as process:
        await process.ledger.add_hospital(HOSPITAL, 1, "")
        yield Purging(process, database, tmp_path)


async def test_a_forgotten_rewrapping_is_no_window(purging: Purging) -> None:
    """Rotated 36 days ago, never rewrapped, the record of the first generation until its destruction: a
    backup of last night opens it. `purge run` keeps that generation until such backups are gone.
    """
    office = Office(purging.process.ledger)
    record_id, list_id = await office.condemned(await office.patient())
    now = datetime.now(UTC)
    write(purging.folder, purging.content().rotated(now - timedelta(days=36), os.urandom))
    await office.destroy(record_id, list_id)
    await purging.process.follower.catch_up()
    said = await purging.purge(now)
    assert "keys wrapped by generation 2" in said
    assert "destroyed" not in said
    before = now + WINDOW - timedelta(seconds=1)
    assert "destroyed" not in await purging.purge(before)
    assert not (await purging.listed(before)).HasField("complete_at")
    later = now + WINDOW + timedelta(hours=1)
    assert "generation 1 is destroyed" in await purging.purge(later)
    row = await purging.listed(later + WINDOW)
    assert (row.generation, row.complete_at.ToDatetime(UTC)) == (
        1,
        max(later, row.unreadable_at.ToDatetime(UTC) + WINDOW),
    )


async def test_a_generation_that_is_destroyed_by_hand_makes_nothing_complete(purging: Purging) -> None:
    """`kek destroy` is refused inside the window, and who takes the key away in another way completes nothing early."""
    office = Office(purging.process.ledger)
    record_id, list_id = await office.condemned(await office.patient())
    await office.destroy(record_id, list_id)
    await purging.process.follower.catch_up()
    now = (await purging.listed(datetime.now(UTC))).unreadable_at.ToDatetime(UTC) + timedelta(minutes=5)
    await purging.run("keys", "kek", "rotate", at=now)
    await purging.run("keys", "rewrap", at=now)
    later = now + timedelta(minutes=2)
    assert "a backup of the last 35 days" in await purging.run("keys", "kek", "destroy", "1", at=later, status=1)
    content = purging.content()
    (old, newest) = content.generations
    gone = replace(old, key=b"", destroyed_at=later)
    write(purging.folder, replace(content, generations=(gone, newest)))
    assert not (await purging.listed(later + timedelta(days=30))).HasField("complete_at")
    assert (await purging.listed(later + WINDOW)).HasField("complete_at")
