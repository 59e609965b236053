"""A ledger whose log ended once, out of its backup: the same ledger again, and the ended log stays ended."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.main import main
from ledger.integrator.log_keys import LogKeys
from ledger.integrator.role import Log
from ledger.log.fsck import check_log
from ledger.log.log_files import LogFiles
from ledger.log.present_log import PresentLogs
from ledger.store.whole_ledger import verify_stored
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.lineage import Succession
from ledger.trust.log_ended import LogEnded
from ledger.trust.note import Note
from ledger.trust.note_key import SigningKey
from ledger.trust.verify import Summary
from tests.contract.stream.loaded_ledger import LoadedLedger
from tests.integration.log.conftest import Integrating, integrating_at
from tests.integration.log.succession_ground import ADA, BEA, KEPT, SIGNED, Ground, environment_of
from tests.integration.log.waiting import until_published
from tests.services.postgres import Database


async def run(ground: Ground, *words: str, **environment: str) -> Result:
    """A command of the program, which has an event loop of its own."""
    env = {**ground.environment, **environment}
    return await asyncio.to_thread(lambda: CliRunner().invoke(main, words, env=env))


def restored_ground(ground: Ground, database: Database) -> Ground:
    """Where the same hospital comes up again: another database and folder, the passphrase at hand."""
    folder = ground.folder / "restored"
    folder.mkdir()
    shutil.copy(ground.folder / "passphrase", folder / "passphrase")
    ledger = LoadedLedger(database, ground.ledger.hospital, 1, head=KEPT + 2)
    return Ground(ledger, environment_of(database, folder), folder, ground.patient)


async def backed_up(ground: Ground) -> tuple[Path, Path]:
    events, keys = ground.folder / "events", ground.folder / "key-backup"
    done = await run(ground, "backup", str(events), "--keys-to", str(keys))
    assert done.exit_code == 0, done.output
    return events, keys


async def test_a_successor_out_of_its_backup_is_refilled_and_goes_on(
    ground: Ground, integrating: Integrating, empty_database: Database
) -> None:
    """Succeeded, backed up, grown, restored, refilled, accepted: the bytes are the same, the log is found though the
    first folder is another's, nothing is taken under the ended origin, and commands and signatures go on."""
    ground.lose()
    assert (await ground.succeed()).exit_code == 0
    async with ground.service() as service:
        await ground.amend(service)
    async with integrating():
        await until_published(ground.new_files, KEPT + 2)
    events, keys = await backed_up(ground)
    async with ground.service() as service:
        for _ in range(3):
            await ground.amend(service)
    async with integrating():
        await until_published(ground.new_files, KEPT + 5)

    there = restored_ground(ground, empty_database)
    words = ("restore", str(events), "--keys", str(keys), "--log", str(ground.folder / "log"))
    superuser = {"LEDGER_POSTGRES_MIGRATE_URL": empty_database.url}
    refused = await run(there, *words, **superuser)
    assert (refused.exit_code, "positions 503 to 505 are missing" in refused.output) == (1, True), refused.output
    done = await run(there, *words, "--for-repair", **superuser)
    assert done.exit_code == 0, done.output
    shutil.copytree(keys / "note-keys", there.folder / "keys")
    assert_ended_for_ever(there)
    refilled = await there.repair("refill")
    assert (refilled.exit_code, "positions 503 to 505 are back" in refilled.output) == (0, True), refilled.output
    assert there.ledger.stored() == ground.ledger.stored()
    assert "refilled" in there.new_files.halted()
    accepted = await there.repair("accept")
    assert (accepted.exit_code, there.new_files.halted()) == (0, ""), accepted.output
    async with there.service() as service:
        assert await there.amend(service) == KEPT + 6
    await assert_signed_on(there, KEPT + 6)


def assert_ended_for_ever(there: Ground) -> None:
    """By the files, and by the database, whoever still seals under the old origin."""
    hospital, blobs = there.ledger.hospital, DirectoryBlobs(there.folder / "log")
    assert PresentLogs(blobs).folder_of(hospital) == f"{hospital}.2"
    assert LogFiles(blobs, hospital).ended() == there.new_files.succeeded() is not None
    assert there.old_files.signed() is not None
    before = there.ledger.head
    with pytest.raises(psycopg.Error) as refused:
        there.ledger.append(1)
    assert refused.value.sqlstate == "LE003"
    there.ledger.head = before


async def assert_signed_on(there: Ground, size: int) -> None:
    keys = LogKeys(there.folder / "keys", there.folder / "passphrase", make=False)
    async with integrating_at(there.settings, Log(DirectoryBlobs(there.folder / "log"), keys, None)):
        await until_published(there.new_files, size)
    assert check_log(there.new_files.read, keys.of(there.new)[0].verifier()).checkpoint.size == size
    found = await verify_stored(there.environment["LEDGER_POSTGRES_APPEND_URL"], there.ledger.hospital)
    assert isinstance(found, Summary)
    assert found.successions == (Succession(KEPT + 1, there.old, there.new),)


async def test_everything_that_lives_on_may_be_named_after_a_succession(
    ground: Ground, integrating: Integrating, keys: LogKeys
) -> None:
    """A kept head of the ended log above what survives is taken for what its end says; the root of what survives is
    compared; a head after the end, or of another tree below it, is refused."""
    old = keys.of(ground.old)[0]
    ground.lose()
    assert (await ground.succeed()).exit_code == 0
    async with integrating():
        await until_published(ground.new_files, KEPT + 1)
    events, _ = await backed_up(ground)
    policy, kept = ground.folder / "policy", ground.folder / "kept.checkpoint"
    policy.write_text(f"log {old.verifier()}\nlog {keys.of(ground.new)[0].verifier()}\nquorum none\n")
    logs, trusted = ground.folder / "log", ("--policy", str(policy))
    words = ("verify", "backup", str(events), *trusted, "--checkpoint")
    ended = ("--ended", str(logs / f"{ground.ledger.hospital}.2" / "succeeded"))
    lost = str(logs / ground.ledger.hospital / "checkpoint")
    assert (await run(ground, *words, lost)).exit_code == 1
    holds = await run(ground, *words, lost, *ended)
    assert (holds.exit_code, "cannot be compared" in holds.output) == (0, True), holds.output
    assert f"compared with the end of {ground.old}, {KEPT} positions" in holds.output
    for size, refusal in ((SIGNED + 1, "had ended before"), (KEPT - 1, "another history")):
        text = Checkpoint(ground.old, size, bytes(32)).text()
        kept.write_bytes(Note(text, (old.sign(text),)).encode())
        refused = await run(ground, *words, str(kept), *ended)
        assert (refused.exit_code, refusal in refused.output) == (1, True), refused.output


async def test_a_backup_of_a_log_that_ended_is_refused_by_its_end_and_by_what_goes_on(
    ground: Ground, integrating: Integrating, keys: LogKeys, empty_database: Database
) -> None:
    """Nothing but a note that somebody kept says so, be it the end or a head of the successor: no restore, no repair,
    no verified backup of the ended origin, and nothing is written. The end of another ledger is not passed over."""
    old = keys.of(ground.old)[0]
    events, key_backup = await backed_up(ground)
    ground.lose()
    assert (await ground.succeed()).exit_code == 0
    async with integrating():
        await until_published(ground.new_files, KEPT + 1)
    new, stranger = keys.of(ground.new)[0], replace(old, name="ledger.test/other/1", seed=b"\x09" * 32)
    policy, strange = ground.folder / "policy", ground.folder / "strange"
    policy.write_text("".join(f"log {key.verifier()}\n" for key in (old, new, stranger)) + "quorum none\n")
    strange.write_bytes(end_of(stranger).encode())
    beside = ground.folder / "log" / f"{ground.ledger.hospital}.2"
    named = {"the end of": ("--ended", str(beside / "succeeded")), "a checkpoint of": ("--checkpoint", str(beside))}
    there = restored_ground(ground, empty_database)
    superuser = {"LEDGER_POSTGRES_MIGRATE_URL": empty_database.url}
    restore = ("restore", str(events), "--keys", str(key_backup))
    for source, option in named.items():
        for words in (("verify", "backup", str(events)), restore, (*restore, "--for-repair")):
            refused = await run(there, *words, "--policy", str(policy), *option, **superuser)
            said = f"the log {ground.old} has ended for ever, {source}"
            assert (refused.exit_code, said in refused.output) == (1, True), refused.output
    words = ("verify", "backup", str(events), "--policy", str(policy), "--ended", str(strange))
    refused = await run(there, *words)
    assert (refused.exit_code, "no ledger of this origin" in refused.output) == (1, True), refused.output
    assert not (there.folder / "log").exists()
    with psycopg.connect(empty_database.url) as connection:
        assert connection.execute("SELECT to_regnamespace('ledger_control')").fetchone() == (None,)


def end_of(key: SigningKey) -> Note:
    """How another ledger's log ended."""
    following = SigningKey(f"{key.name[:-1]}2", key.kind, b"\x08" * 32)
    last = Checkpoint(key.name, 20, bytes(32))
    text = LogEnded(last, 10, bytes(32), following.verifier(), "STORAGE_LOST").text()
    return Note(text, (key.sign(text), following.sign(text)))


async def test_a_succession_finds_its_keys_where_the_settings_say(ground: Ground, tmp_path: Path) -> None:
    """The folder of note keys and the public file of verifiers may lie elsewhere: the successor's key is made there,
    and made known there, or no other role would believe its heads."""
    keys, verifiers = tmp_path / "elsewhere", tmp_path / "public" / "verifiers"
    (tmp_path / "keys").rename(keys)
    verifiers.parent.mkdir()
    shutil.move(keys / "verifiers", verifiers)
    ground.environment |= {"LEDGER_LOG_KEYS": str(keys), "LEDGER_LOG_VERIFIERS": str(verifiers)}
    ground.lose()
    done = await ground.succeed()
    assert done.exit_code == 0, done.output
    assert f"{ground.new}+" in verifiers.read_text()
    assert not (tmp_path / "keys").exists()
    assert not (keys / "verifiers").exists()


async def test_nobody_lets_commands_in_while_a_succession_is_under_way(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`repair accept` between its steps is refused; where somebody has taken the words away by hand all the same, the
    next `repair succeed` sees by the ledger that it is not over, and ends it. No backup is taken in between, since none
    such could be restored."""
    ground.lose()
    with monkeypatch.context() as broken:

        async def fail(*_: object, **__: object) -> None:
            raise OSError("broken off")

        broken.setattr("ledger.application.ledger.Ledger.succeed", fail)
        assert (await ground.succeed()).exit_code != 0
    refused = await ground.repair("accept")
    assert (refused.exit_code, "a succession is under way" in refused.output.lower()) == (1, True), refused.output
    ground.new_files.resume("repair")
    backup = await run(ground, "backup", str(ground.folder / "between"))
    assert (backup.exit_code, "a succession is under way" in backup.output) == (1, True), backup.output
    done = await ground.succeed()
    assert done.exit_code == 0, done.output
    async with ground.service() as service:
        assert await ground.amend(service) == KEPT + 2


@pytest.mark.long
async def test_a_succession_broken_off_is_ended_out_of_a_backup(
    ground: Ground, integrating: Integrating, monkeypatch: pytest.MonkeyPatch, empty_database: Database
) -> None:
    """The log is closed and the registry has not moved when the database goes too. A backup from before comes back for
    a repair alone, is refilled to what the end says survives and no further, and the very same succession is ended."""
    ground.ledger.forget_heads_above(SIGNED)
    events, keys = await backed_up(ground)
    ground.ledger.append(170)
    async with integrating():
        await until_published(ground.old_files, SIGNED + 170)
    survives = 3 * 256
    ground.ledger.cut(survives)
    ground.ledger.forget_heads_above(survives)
    for kind in ("tile/entries", "bodies"):
        shutil.rmtree(ground.folder / "log" / ground.ledger.hospital / kind / "003.p")
    with monkeypatch.context() as broken:

        async def fail(*_: object, **__: object) -> None:
            raise OSError("broken off")

        broken.setattr("ledger.cli.succession.end_log", fail)
        assert (await ground.succeed()).exit_code != 0
    end = ground.old_files.ended()
    assert end is not None

    there = restored_ground(ground, empty_database)
    words = ("restore", str(events), "--keys", str(keys), "--log", str(ground.folder / "log"))
    superuser = {"LEDGER_POSTGRES_MIGRATE_URL": empty_database.url}
    refused = await run(there, *words, **superuser)
    assert (refused.exit_code, "has ended for ever" in refused.output) == (1, True), refused.output
    done = await run(there, *words, "--for-repair", **superuser)
    assert (done.exit_code, f"the end of {ground.old}" in done.output) == (0, True), done.output
    shutil.copytree(keys / "note-keys", there.folder / "keys")
    refused = await there.succeed()
    assert (refused.exit_code, f"ended at position {survives}, the ledger ends at" in refused.output) == (1, True)
    refilled = await there.repair("refill")
    assert (refilled.exit_code, f"positions 601 to {survives} are back" in refilled.output) == (0, True), (
        refilled.output
    )
    refused = await there.succeed()
    assert (refused.exit_code, f"{ground.new}: The log's key is missing" in refused.output) == (1, True), refused.output
    shutil.copytree(ground.folder / "keys", there.folder / "keys", dirs_exist_ok=True)
    done = await there.succeed()
    assert done.exit_code == 0, done.output
    assert "Records stay held back" in done.output, "the keys are older than what is lost"
    assert (there.old_files.ended(), there.new_files.succeeded()) == (end, end)
    assert {at: there.ledger.stored()[at] for at in range(1, survives + 1)} == ground.ledger.stored()
    assert "are refilled" in there.new_files.halted()
    assert (await there.repair("accept")).exit_code == 0
    approved = ("--approver", ADA, "--approver", BEA, "--reason", "LOSS_GIVEN_UP")
    released = await run(there, "keys", "release", there.ledger.hospital, *approved)
    assert (released.exit_code, "positions 769 to 770" in released.output) == (0, True), released.output
    async with there.service() as service:
        assert await there.amend(service) == survives + 2
