"""`ledger keys rotate` on a running integrator: an overlap in which both keys sign, then the new one alone."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.keys import keys as keys_command
from ledger.integrator.log_keys import LogKeys
from ledger.integrator.signed_log import SignedLog
from ledger.keys.key_folder import KeyFolder
from ledger.log.fsck import check_log
from ledger.log.key_register import key_register, line_path
from ledger.log.log_files import LogFiles
from ledger.log.log_growth import StoredLeaf
from ledger.trust.note_key import KeyKind, SigningKey, VerifierKey, parse_verifier_key
from ledger.trust.signed_note import signers
from tests.contract.stream.loaded_ledger import ORIGIN_PREFIX, LoadedLedger
from tests.eventually import eventually_async
from tests.fault.test_integration_step import EVENTS
from tests.integration.log.backups import Backups
from tests.integration.log.conftest import Integrating
from tests.integration.log.succession_ground import SIGNED, Ground
from tests.integration.log.test_succession_restored import backed_up, restored_ground, run
from tests.integration.log.waiting import until_halted, until_published
from tests.services.key_files import key_settings
from tests.services.postgres import Database

Rotate = Callable[..., "asyncio.Future[Result]"]


@pytest.fixture
def backups(ledger: LoadedLedger, empty_database: Database, tmp_path: Path) -> Backups:
    return Backups(ledger, empty_database, tmp_path)


@pytest.fixture
def origin(ledger: LoadedLedger) -> str:
    return f"{ORIGIN_PREFIX}/{ledger.hospital}/1"


@pytest.fixture
def rotate(origin: str, tmp_path: Path) -> Rotate:
    """The command, on the folder of this test."""
    given = ["rotate", origin, "--passphrase-file", str(tmp_path / "passphrase")]
    environment = {"LEDGER_DATA_DIR": str(tmp_path)}

    def run(*options: str) -> asyncio.Future[Result]:
        command = lambda: CliRunner().invoke(keys_command, [*given, *options], env=environment)  # noqa: E731
        return asyncio.ensure_future(asyncio.to_thread(command))

    return run


def signed_by(files: LogFiles, *keys: VerifierKey) -> list[VerifierKey]:
    note = files.published()
    return [] if note is None else [key for key in keys if key in signers(note, keys)]


async def test_a_key_is_followed_while_the_log_grows(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, rotate: Rotate, log_key: Callable[[], VerifierKey]
) -> None:
    """Without a restart: old, both, new; not finished too early; the whole log holds under the new key at the end."""
    ledger.append(20)
    async with integrating():
        await until_published(files, 20)
        old = log_key()
        begun = await rotate()
        new = parse_verifier_key(begun.output.strip())
        early = await rotate("--finish")
        assert (early.exit_code, "not signed by the new key yet" in early.output) == (1, True), early.output
        assert (await rotate()).exit_code == 1  # a third key does not join them
        ledger.append(5)
        await until_published(files, 25)
        assert signed_by(files, old, new) == [old, new]
        assert check_log(files.read, old).checkpoint == check_log(files.read, new).checkpoint
        done = await rotate("--finish")
        assert done.exit_code == 0, done.output
        ledger.append(5)
        await until_published(files, 30)
    assert (signed_by(files, old, new), log_key()) == ([new], new)
    lines = key_register(files)
    assert [(each.period.keys, each.vouched) for each in lines] == [((old,), True), ((old, new), True), ((new,), True)]
    sizes = [each.period.size for each in lines]
    assert (sizes == sorted(sizes), sizes[0], 20 <= sizes[1] <= 25, 25 <= sizes[2] <= 30) == (True, 0, True, True)


async def test_a_log_at_rest_is_signed_anew_by_the_next_integrator(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, rotate: Rotate, log_key: Callable[[], VerifierKey]
) -> None:
    """Its head gets the second signature without a new event, so that the overlap can end."""
    ledger.append(20)
    async with integrating():
        await until_published(files, 20)
    new = parse_verifier_key((await rotate()).output.strip())
    async with integrating():

        async def both() -> bool:
            return signed_by(files, log_key(), new) == [log_key(), new]

        await eventually_async(both)
    assert (await rotate("--finish")).exit_code == 0


async def test_a_torn_line_of_the_key_register_stops_no_log(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, caplog: pytest.LogCaptureFixture
) -> None:
    """It proves nothing of the events: an error names the file, and what is appended is signed and published."""
    files.write({line_path(1): b"torn"})
    ledger.append(5)
    async with integrating():
        await until_published(files, 5)
    assert "the key register is damaged" in caplog.text


async def test_a_log_store_from_before_a_rotation_is_gone_on_with(
    ledger: LoadedLedger,
    files: LogFiles,
    integrating: Integrating,
    rotate: Rotate,
    log_key: Callable[[], VerifierKey],
    tmp_path: Path,
) -> None:
    """Put back beside the keys of now: its head counts under the key that was put away, and is signed by the next."""
    ledger.append(20)
    async with integrating():
        await until_published(files, 20)
    shutil.copytree(tmp_path / "log", tmp_path / "older")
    old, new = log_key(), parse_verifier_key((await rotate()).output.strip())
    async with integrating():
        ledger.append(5)
        await until_published(files, 25)
    assert (await rotate("--finish")).exit_code == 0
    shutil.rmtree(tmp_path / "log")
    (tmp_path / "older").rename(tmp_path / "log")
    async with integrating():
        await until_published(files, 25)
    assert signed_by(files, old, new) == [new]


def forged_log(folder: Path, hospital: str, key: SigningKey, leaves: list[StoredLeaf]) -> None:
    """What somebody makes who has a key that was put away, and may write the files."""
    log = SignedLog(LogFiles(DirectoryBlobs(folder), hospital), key.name, key)
    log.take(leaves)
    log.publish(log.sign(), log.signed)


@pytest.mark.parametrize("foreign", [range(1, 31), range(5, 6)])
async def test_a_retired_key_makes_no_tree_that_the_next_one_signs(
    ledger: LoadedLedger,
    files: LogFiles,
    integrating: Integrating,
    rotate: Rotate,
    keys: LogKeys,
    origin: str,
    foreign: range,
    tmp_path: Path,
) -> None:
    """Also where one event alone is another and the last one is the ledger's own: the events lead to another root,
    so the log stands still, and nothing of it bears the key of now."""
    ledger.append(20)
    async with integrating():
        await until_published(files, 20)
    retired = keys.of(origin)[0]
    new = parse_verifier_key((await rotate()).output.strip())
    async with integrating():
        ledger.append(10)
        await until_published(files, 30)
    assert (await rotate("--finish")).exit_code == 0
    true = {position: StoredLeaf(position, *stored) for position, stored in ledger.stored().items()}
    leaves = [EVENTS[at - 1] if at in foreign else true[at] for at in range(1, 31)]
    forged_log(tmp_path / "forged", ledger.hospital, retired, leaves)
    shutil.rmtree(tmp_path / "log")
    (tmp_path / "forged").rename(tmp_path / "log")
    async with integrating():
        found = await until_halted(files)
    assert ("another root" in found, "another event there" in found).count(True) == 1, found
    notes = files.signed(), files.published()
    assert [note is not None and new in signers(note, [new]) for note in notes] == [False, False]
    assert key_register(files) == []


async def test_a_backup_from_before_a_rotation_is_held_against_every_known_key(
    ledger: LoadedLedger,
    files: LogFiles,
    integrating: Integrating,
    rotate: Rotate,
    backups: Backups,
) -> None:
    """A living log that bears the new key alone is no foreign one: the key that follows is named on the command line,
    or is known by the file of verifiers. Without either the restore says that it cannot believe it."""
    ledger.append(20)
    ledger.forget_heads_above(20)
    async with integrating():
        await until_published(files, 20)
    await backups.taken()
    new = parse_verifier_key((await rotate()).output.strip())
    async with integrating():
        ledger.append(5)
        await until_published(files, 25)
    assert (await rotate("--finish")).exit_code == 0
    async with integrating():
        ledger.append(5)
        await until_published(files, 30)
    living = ("--log", str(backups.log))
    unknown = await backups.restore(*living)
    assert "no trusted key has signed" in unknown.output
    verifiers = str(backups.folder / "keys" / "verifiers")
    for options, environment in ((("--key", str(new)), {}), ((), {"LEDGER_LOG_VERIFIERS": verifiers})):
        behind = await backups.restore(*living, *options, **environment)
        assert (behind.exit_code, "positions 21 to 30 are missing" in behind.output) == (1, True), behind.output


async def test_a_backup_of_keys_has_every_key_that_signs(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, rotate: Rotate, backups: Backups
) -> None:
    """Both while one follows the other; a signed log whose key does not lie where it is looked for is refused by name,
    since what was backed up could never sign on."""
    ledger.append(20)
    async with integrating():
        await until_published(files, 20)
    await rotate()
    kept = backups.folder / "kept"
    done = await backups.take("--keys-to", str(kept), **key_settings())
    assert done.exit_code == 0, done.output
    assert [path.name.rpartition(".")[2] for path in sorted((kept / "note-keys").iterdir())] == ["note-key", "next"]
    elsewhere = {**key_settings(), "LEDGER_LOG_KEYS": str(backups.folder)}
    refused = await backups.take("--keys-to", str(backups.folder / "none"), **elsewhere)
    assert (refused.exit_code, "its note key does not lie in" in refused.output) == (1, True), refused.output


def test_an_end_that_was_killed_half_way_is_ended(origin: str, tmp_path: Path, keys: LogKeys) -> None:
    """The old key is away, the new one not yet in its place: it signs alone, no other is made, and the end goes on."""
    folder = KeyFolder(tmp_path / "keys")
    keys.of(origin)
    new = folder.make(origin, KeyKind.ED25519, b"a passphrase of the tests", cost=14, following=True)
    assert [key.verifier() for key in keys.of(origin)][1:] == [new]
    folder.put_away(folder.path_of(origin, KeyKind.ED25519))
    assert [key.verifier() for key in keys.of(origin)] == [new]
    folder.finish_rotation(origin, KeyKind.ED25519)
    assert [key.verifier() for key in keys.of(origin)] == [new]
    assert len(folder.verifiers_of(origin, KeyKind.ED25519)) == 2


async def test_note_keys_from_before_a_rotation_are_refused_at_once(
    ground: Ground, integrating: Integrating, rotate: Rotate, empty_database: Database
) -> None:
    """Beside the log that lives on they could sign nothing that a reader believes: refused before anything is asked or
    written. Those of now are taken, and say that its head counts though the events' backup knows the old key alone."""
    events, keys = await backed_up(ground)
    new = parse_verifier_key((await rotate()).output.strip())

    async def signed_by_the_new_one() -> bool:
        return signed_by(ground.old_files, new) == [new]

    async with integrating():
        await eventually_async(signed_by_the_new_one)
    assert (await rotate("--finish")).exit_code == 0

    ground.ledger.append(5)
    async with integrating():
        await until_published(ground.old_files, SIGNED + 5)
    newer = ground.folder / "newer"
    assert (await run(ground, "backup", "--keys-to", str(newer))).exit_code == 0
    there, superuser = restored_ground(ground, empty_database), {"LEDGER_POSTGRES_MIGRATE_URL": empty_database.url}
    words = ("restore", str(events), "--log", str(ground.folder / "log"), "--for-repair", "--keys")
    refused = await run(there, *words, str(keys), **superuser)
    assert (refused.exit_code, "was followed by another" in refused.output) == (1, True), refused.output
    done = await run(there, *words, str(newer), **superuser)
    assert done.exit_code == 0, done.output
