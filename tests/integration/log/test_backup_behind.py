"""A backup that is older than what was published: refused by whoever remembers, and repaired to the very same root."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from ledger.blobs.contract import BlobDiffers
from ledger.blobs.directory import DirectoryBlobs
from ledger.integrator.log_keys import LogKeys
from ledger.log.log_files import LogFiles
from ledger.store.whole_ledger import verify_stored
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Frontier
from ledger.trust.note_key import VerifierKey
from ledger.trust.policy_file import parse_policy
from ledger.trust.verify import Summary
from tests.contract.stream.loaded_ledger import ORIGIN_PREFIX, LoadedLedger, Record
from tests.integration.log.backups import Backups
from tests.integration.log.conftest import Integrating
from tests.integration.log.waiting import until_published
from tests.services.postgres import Database
from tests.services.witness import WitnessProcess

BEFORE, AFTER = 500, 600


@pytest.fixture
def backups(ledger: LoadedLedger, empty_database: Database, tmp_path: Path) -> Backups:
    return Backups(ledger, empty_database, tmp_path)


def _grow_otherwise(ledger: LoadedLedger, cut_to: int, count: int) -> None:
    """As a ledger does that was put back and written on."""
    ledger.cut(cut_to)
    ledger.records = [Record() for _ in range(50)]
    ledger.append(count)


def _named_like_service(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir() if "service" in each.name]


def _append(ledger: LoadedLedger, count: int) -> None:
    ledger.append(count)
    ledger.forget_heads_above(ledger.head)


async def test_whoever_remembers_keeps_an_older_backup_out(
    ledger: LoadedLedger,
    files: LogFiles,
    integrating: Integrating,
    backups: Backups,
    keys: LogKeys,
    log_key: Callable[[], VerifierKey],
    tmp_path: Path,
) -> None:
    """100 events behind: the log, a kept checkpoint and a witness each refuse it and name the positions. Put back for a
    repair it takes no commands, and refilled it has the same root and the same bytes."""
    own = [key.verifier() for key in keys.of(f"{ORIGIN_PREFIX}/{ledger.hospital}/1")]
    witness = WitnessProcess(tmp_path / "w", "witness.test/w", own)
    witness.start()
    policy = tmp_path / "policy"
    policy.write_text(f"witness w {witness.key} {witness.url}\nquorum w\n")
    try:
        _append(ledger, BEFORE)
        async with integrating(parse_policy(policy.read_bytes())):
            await until_published(files, BEFORE)
            await backups.taken()
            _append(ledger, AFTER - BEFORE)
            await until_published(files, AFTER)
        kept = tmp_path / "kept.checkpoint"
        kept.write_bytes((backups.log / ledger.hospital / "checkpoint").read_bytes())
        remembered = (
            ("--log", str(backups.log)),
            ("--checkpoint", str(kept), "--key", str(log_key())),
            ("--policy", str(policy)),
        )
        for options in remembered:
            done = await backups.restore(*options)
            assert (done.exit_code, "positions 501 to 600 are missing" in done.output) == (1, True), done.output
            assert "ledger repair refill" in done.output
        checked = await backups.verify(*remembered[1])
        assert (checked.exit_code, "positions 501 to 600 are missing" in checked.output) == (1, True), checked.output
        torn = tmp_path / "damaged" / ledger.hospital / "tile" / "1" / "000.p" / "2"
        shutil.copytree(backups.log, tmp_path / "damaged")
        torn.write_bytes(torn.read_bytes()[:-1])
        (tmp_path / "damaged" / ledger.hospital / "tile" / "entries" / "001").unlink()
        options = ("--log", str(tmp_path / "damaged"), "--for-repair")
        damaged = await backups.restore_service(tmp_path / "service", *options)
        assert (damaged.exit_code, "the tiles of size 600" in damaged.output) == (1, True), damaged.output
        assert _named_like_service(tmp_path) == [], "nothing is left of it"
        nowhere = await backups.restore("--log", str(tmp_path / "nowhere"))
        assert (nowhere.exit_code, "nowhere: no log of" in nowhere.output) == (1, True), nowhere.output
        witness.stop()
        away = await backups.restore("--policy", str(policy), "--log", str(backups.log), "--for-repair")
    finally:
        witness.stop()
    assert (away.exit_code, "takes no commands" in away.output) == (0, True), away.output
    assert "witness witness.test/w could not be asked" in away.output
    restored = LogFiles(DirectoryBlobs(backups.restored_log), ledger.hospital)
    assert "positions 501 to 600" in restored.halted()
    mistaken = await backups.restore("--log", str(backups.log), "--for-repair", LEDGER_BLOBS=str(backups.log))
    assert "holds a ledger already" in mistaken.output
    assert files.halted() == "", "the log of a cluster that is not empty stays as it is"
    refilled = await backups.repair("refill")
    assert (refilled.exit_code, "positions 501 to 600 are back" in refilled.output) == (0, True), refilled.output
    assert backups.restored.stored() == ledger.stored()
    found = await verify_stored(backups.target.role_url("ledger_append"), ledger.hospital)
    assert isinstance(found, Summary)
    tree = Frontier()
    tree.extend(leaf_hash(envelope) for _, (envelope, _) in sorted(backups.restored.stored().items()))
    note = files.signed()
    assert note is not None
    assert (tree.size, tree.root()) == (AFTER, parse_checkpoint(note.text).root)


async def test_another_history_is_never_restored(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, backups: Backups
) -> None:
    """A ledger that was cut and has grown otherwise is refused by the log that lives on, also for a repair."""
    _append(ledger, 20)
    async with integrating():
        await until_published(files, 20)
    _grow_otherwise(ledger, 10, 30)
    elsewhere = backups.folder / "elsewhere"
    backups.log.rename(elsewhere)
    await backups.taken()
    done = await backups.restore("--log", str(elsewhere), "--for-repair")
    assert (done.exit_code, "knows another history up to position 20" in done.output) == (1, True), done.output
    with psycopg.connect(backups.target.url) as connection:
        assert connection.execute("SELECT to_regnamespace('ledger_control')").fetchone() == (None,)


async def test_what_was_seen_is_waited_for(
    ledger: LoadedLedger,
    files: LogFiles,
    integrating: Integrating,
    backups: Backups,
    log_key: Callable[[], VerifierKey],
    tmp_path: Path,
) -> None:
    """A kept head knows of more than the log that is left. What the log has is refilled; the rest is still named, the
    head's size is fenced for its root, and nobody lets commands in that would write another history below it."""
    _append(ledger, 20)
    async with integrating():
        await until_published(files, 20)
        await backups.taken()
        _append(ledger, 10)
        await until_published(files, 30)
        shutil.copytree(backups.log, tmp_path / "older")
        _append(ledger, 10)
        await until_published(files, 40)
    kept = tmp_path / "kept.checkpoint"
    kept.write_bytes((backups.log / ledger.hospital / "checkpoint").read_bytes())
    options = ("--log", str(tmp_path / "older"), "--checkpoint", str(kept), "--key", str(log_key()))
    assert (await backups.restore(*options, "--for-repair")).exit_code == 0
    refilled = await backups.repair("refill")
    assert (refilled.exit_code, "positions 21 to 30 are back" in refilled.output) == (0, True), refilled.output
    restored = LogFiles(DirectoryBlobs(backups.restored_log), ledger.hospital)
    assert all(said in restored.halted() for said in ("21 to 40 are missing", "21 to 30 are refilled"))
    refused = await backups.repair("accept")
    assert (refused.exit_code, "Known up to position 40" in refused.output) == (1, True), refused.output
    assert restored.halted() != ""
    with pytest.raises(BlobDiffers):
        restored.fence(Checkpoint(f"{ORIGIN_PREFIX}/{ledger.hospital}/1", 40, bytes(32)))
    await _assert_only_what_was_seen_is_accepted(ledger, backups, restored)


async def _assert_only_what_was_seen_is_accepted(ledger: LoadedLedger, backups: Backups, restored: LogFiles) -> None:
    """A ledger that is long enough is not yet the one that was seen, also where it has grown beyond that."""
    rows, there = ledger.rows_above(30), backups.restored
    _grow_otherwise(there, 30, 15)
    for command in ("refill", "accept"):
        refused = await backups.repair(command)
        assert (refused.exit_code, "Compared up to position 40" in refused.output) == (1, True), refused.output
    there.cut(30)
    there.put_back(rows)
    done = await backups.repair("accept")
    assert (done.exit_code, restored.halted()) == (0, ""), done.output
