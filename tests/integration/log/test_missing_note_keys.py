"""A backup of keys that lacks a note key of a log at hand: it would go on under one that nobody vouches for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from ledger.keys.key_folder import KeyFolder
from ledger.log.log_files import LogFiles
from ledger.trust.note_key import KeyKind, VerifierKey
from tests.contract.stream.loaded_ledger import ORIGIN_PREFIX, LoadedLedger
from tests.eventually import eventually_async
from tests.integration.log.backups import Backups
from tests.integration.log.conftest import Integrating
from tests.integration.log.test_key_rotation import signed_by
from tests.integration.log.waiting import until_published
from tests.services.key_files import key_settings
from tests.services.postgres import Database


@pytest.fixture
def backups(ledger: LoadedLedger, empty_database: Database, tmp_path: Path) -> Backups:
    return Backups(ledger, empty_database, tmp_path)


async def _keys(backups: Backups, name: str) -> Path:
    folder = backups.folder / name
    done = await backups.take("--keys-to", str(folder), **key_settings())
    assert done.exit_code == 0, done.output
    return folder


async def _refused(backups: Backups, keys: Path, *named: str) -> None:
    """Without `--for-repair`; with it the same is said."""
    words = ("--keys", str(keys), "--log", str(backups.log))
    refused, done = await backups.restore(*words), await backups.restore(*words, "--for-repair")
    assert (refused.exit_code, done.exit_code) == (1, 0), f"{refused.output} {done.output}"
    _says(refused, str(keys), "lacks a note key", *named, "take newer KEYS")
    _says(done, str(keys), "lacks a note key", *named)


def _says(result: Result, *words: str) -> None:
    assert [word for word in words if word not in result.output] == [], result.output


async def test_keys_from_before_a_log_was_signed_are_refused(
    ledger: LoadedLedger,
    files: LogFiles,
    integrating: Integrating,
    log_key: Callable[[], VerifierKey],
    backups: Backups,
) -> None:
    """By the key that they lack and the heads that it signs. For a repair the records come back all the same."""
    ledger.append(20)
    keys = await _keys(backups, "keys-from-before")
    async with integrating():
        await until_published(files, 20)
    ledger.append(5)
    async with integrating():
        await until_published(files, 25)
    await backups.taken()
    await _refused(backups, keys, log_key().key_id.hex(), "heads of 0 to 25 events")


async def test_keys_from_before_a_rotation_began_are_refused(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, backups: Backups
) -> None:
    """Their key still signs, but is about to be put away: the one that follows is named. Where both lie nothing is
    lacking."""
    origin, folder = f"{ORIGIN_PREFIX}/{ledger.hospital}/1", KeyFolder(backups.folder / "keys")
    ledger.append(20)
    async with integrating():
        await until_published(files, 20)
    first = await _keys(backups, "first")
    passphrase = (backups.folder / "passphrase").read_bytes().strip()
    new = folder.make(origin, KeyKind.ED25519, passphrase, cost=14, following=True)
    ledger.append(5)

    async def both_sign() -> bool:
        return signed_by(files, new) == [new]

    async with integrating():
        await eventually_async(both_sign)
    await backups.taken()
    both = await _keys(backups, "both")
    await _refused(backups, first, new.key_id.hex(), "to 25 events")
    refused = await backups.restore("--keys", str(both), "--log", str(backups.log))
    assert (refused.exit_code, "note key" in refused.output) == (1, False), "what is lacking now is an empty cluster"
