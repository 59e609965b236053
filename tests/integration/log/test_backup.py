"""A backup and the way back: the same ledger, whole, or refused by name with nothing written."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest

from ledger.backup.new_backup import NewBackup
from ledger.backup.stored_rows import snapshot
from ledger.blobs.directory import DirectoryBlobs
from ledger.log.fsck import check_log
from ledger.log.log_files import LogFiles
from ledger.store.whole_ledger import verify_stored
from ledger.trust.note_key import VerifierKey
from ledger.trust.verify import Summary
from tests.contract.stream.loaded_ledger import LoadedLedger
from tests.integration.log.backups import Backups
from tests.integration.log.conftest import Integrating
from tests.integration.log.waiting import until_published
from tests.services.postgres import Database


@pytest.fixture
def backups(ledger: LoadedLedger, empty_database: Database, tmp_path: Path) -> Backups:
    return Backups(ledger, empty_database, tmp_path)


def _is_empty(database: Database) -> bool:
    with psycopg.connect(database.url) as connection:
        found = connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname ~ '^(h_|ledger_)'").fetchone()
    return found == (0,)


async def test_a_ledger_is_the_same_again(
    ledger: LoadedLedger,
    files: LogFiles,
    integrating: Integrating,
    backups: Backups,
    log_key: Callable[[], VerifierKey],
) -> None:
    """Every byte is back, rows, log and root; the log verifies where it lies in the backup; nobody else may look in."""
    ledger.append(600)
    ledger.forget_heads_above(600)
    async with integrating():
        await until_published(files, 600)
        ledger.append(20)
        await until_published(files, 620)
    ledger.append(10)
    ledger.forget_heads_above(630)
    await backups.taken()
    modes = {stat.S_IMODE(each.stat().st_mode) for each in backups.backup.rglob("*")}
    assert modes | {stat.S_IMODE(backups.backup.stat().st_mode)} == {0o700, 0o600}
    held = DirectoryBlobs(backups.backup / "log")
    assert check_log(LogFiles(held, ledger.hospital).read, log_key()).checkpoint.size == 620
    checked = await backups.verify()
    assert f"{ledger.hospital}: holds, positions 1 to 630" in checked.output
    done = await backups.restore("--log", str(backups.log))
    assert done.exit_code == 0, done.output
    assert "compared with `signed`" in done.output
    assert backups.restored.stored() == ledger.stored()
    assert isinstance(await verify_stored(backups.target.role_url("ledger_append"), ledger.hospital), Summary)
    restored = LogFiles(DirectoryBlobs(backups.restored_log), ledger.hospital)
    assert check_log(restored.read, log_key(), note="signed").checkpoint.size == 620


async def test_a_restore_goes_over_nothing(ledger: LoadedLedger, backups: Backups) -> None:
    """Nobody is asked: the restore says that it cannot know of anything newer. A second one is refused by name."""
    ledger.append(5)
    await backups.taken()
    done = await backups.restore()
    assert done.exit_code == 0, done.output
    assert "compared with nothing outside this backup" in done.output
    again = await backups.restore()
    assert (again.exit_code, f"holds a ledger already: {ledger.hospital}" in again.output) == (1, True), again.output


async def test_writers_go_on_beside_a_backup(ledger: LoadedLedger, tmp_path: Path) -> None:
    """What is appended while a backup is written is neither held up nor half in it."""
    ledger.append(10)
    with snapshot(ledger.database.role_url("ledger_migrate")) as rows:
        assert rows.head(ledger.hospital)[0] == 10
        ledger.append(10)
        backup = NewBackup(tmp_path / "backup")
        rows.write_ledger(backup, ledger.hospital)
        assert rows.head(ledger.hospital)[0] == 10
    ledger.append(1)
    events = (tmp_path / "backup" / "rows" / f"h_{ledger.hospital}" / "events").read_bytes()
    stored = ledger.stored()
    assert all((stored[position][0] in events) is (position <= 10) for position in stored)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _altered(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _linked(path: Path) -> None:
    elsewhere = path.parents[3] / "elsewhere"
    path.replace(elsewhere)
    path.symlink_to(elsewhere)


def _foreign(path: Path) -> None:
    path.with_name("another").write_bytes(b"")


_HARMS: tuple[tuple[Callable[[Path], None], str], ...] = (
    (_cut, "bytes, not"),
    (_altered, "events: altered"),
    (Path.unlink, "events: missing"),
    (_linked, "events: "),
    (_foreign, "another: not of this backup"),
)
_MANIFESTS = (
    (None, "missing; the backup was cut off"),
    (b'{"format": 1,', "not JSON, or cut short"),
    (b'{"format": 2}', "of another format"),
    (b'{"format": 1, "kind": "keys"}', "release: missing"),
)


async def test_a_backup_that_is_not_whole_is_refused(ledger: LoadedLedger, backups: Backups) -> None:
    """Each fault is named by file, also where there are two, and nothing is written. Without a whole manifest, which
    is written last, there is no backup."""
    ledger.append(5)
    await backups.taken()
    whole = backups.folder / "whole"
    backups.backup.rename(whole)
    for harm, said in _HARMS:
        rows = Path(shutil.copytree(whole, backups.backup)) / "rows"
        harm(rows / f"h_{ledger.hospital}" / "events")
        _cut(rows / "ledger_control" / "hospitals")
        done = await backups.restore()
        assert (done.exit_code, said in done.output, "ledger_control/hospitals: " in done.output) == (1, True, True)
        shutil.rmtree(backups.backup)
    for manifest, said in _MANIFESTS:
        path = Path(shutil.copytree(whole, backups.backup)) / "manifest.json"
        path.unlink()
        if manifest is not None:
            path.write_bytes(manifest)
        done = await backups.restore()
        assert (done.exit_code, said in done.output) == (1, True), done.output
        shutil.rmtree(backups.backup)
    assert _is_empty(backups.target)


async def test_rows_that_do_not_hold_are_refused(ledger: LoadedLedger, backups: Backups) -> None:
    """Who alters an event and its digest in the manifest too is found by the chain; an unknown field by its name."""
    ledger.append(5)
    await backups.taken()
    name = f"rows/h_{ledger.hospital}/events"
    data = (backups.backup / name).read_bytes()
    body = ledger.stored()[3][1]
    (backups.backup / name).write_bytes(data.replace(body, body[:-1] + bytes([body[-1] ^ 1])))
    _note_digest(backups.backup, name)
    done = await backups.restore()
    assert (done.exit_code, "at position 3" in done.output) == (1, True), done.output
    (backups.backup / name).write_bytes(data)
    _note_digest(backups.backup, name)
    other = f"rows/h_{ledger.hospital}/actors"
    (backups.backup / other).write_bytes(b"no rows")
    _note_digest(backups.backup, other)
    done = await backups.restore()
    assert (done.exit_code, "PostgreSQL refuses the rows" in done.output) == (1, True), done.output
    manifest = json.loads((backups.backup / "manifest.json").read_bytes())
    (backups.backup / "manifest.json").write_text(json.dumps({**manifest, "more": 1}))
    done = await backups.restore()
    assert "manifest.json: more: unknown field" in done.output
    assert _is_empty(backups.target)


def _note_digest(backup: Path, name: str) -> None:
    data = (backup / name).read_bytes()
    manifest = json.loads((backup / "manifest.json").read_bytes())
    manifest["files"][name] = {"size": len(data), "sha256": sha256(data).hexdigest()}
    (backup / "manifest.json").write_text(json.dumps(manifest))


async def test_tables_that_lack_or_do_not_belong_are_refused(ledger: LoadedLedger, backups: Backups) -> None:
    """A manifest without the reservations, and with keys among the events, is refused though every digest is right."""
    ledger.append(5)
    await backups.taken()
    path, schema = backups.backup / "manifest.json", f"h_{ledger.hospital}"
    manifest = json.loads(path.read_bytes())
    tables = {(each["schema"], each["name"]): each for each in manifest["tables"]}
    del tables[schema, "reservations"]
    tables["ledger_keys", "record_keys"] = {**tables[schema, "head"], "schema": "ledger_keys", "name": "record_keys"}
    path.write_text(json.dumps({**manifest, "tables": list(tables.values())}))
    done = await backups.restore()
    assert (done.exit_code, f"{schema}.reservations: missing" in done.output) == (1, True), done.output
    assert "ledger_keys.record_keys: does not belong" in done.output
    assert _is_empty(backups.target)


async def test_places_that_are_refused(ledger: LoadedLedger, backups: Backups) -> None:
    """Keys inside the events or round them, a folder with something in it, a hospital that nobody knows."""
    ledger.append(1)
    inner = await backups.take(str(backups.backup), "--keys-to", str(backups.backup / "keys"))
    outer = await backups.take(str(backups.backup / "events"), "--keys-to", str(backups.backup))
    for refused in (inner, outer):
        assert (refused.exit_code, "keys lie apart" in refused.output) == (1, True), refused.output
    unknown = await backups.take(str(backups.backup), "--hospital", "nowhere")
    assert "nowhere: no hospital" in unknown.output
    (backups.backup / "something").touch()
    full = await backups.take(str(backups.backup))
    assert "not an empty folder" in full.output


async def test_a_ledger_behind_its_log_is_not_backed_up(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, backups: Backups
) -> None:
    """A backup of what was rolled back would look like one."""
    ledger.append(20)
    async with integrating():
        await until_published(files, 20)
    ledger.cut(10)
    done = await backups.take(str(backups.backup))
    assert (done.exit_code, "but the ledger ends at 10" in done.output) == (1, True), done.output
    assert "cut off" in (await backups.restore()).output
