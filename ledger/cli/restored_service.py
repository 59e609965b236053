"""A new folder of `ledger up` out of a backup: built beside, checked, and put in its place whole."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click

from ledger.backup.faults import RestoreRefused
from ledger.backup.held_backup import HeldBackup
from ledger.backup.key_part import KEY_FILE, note_key_names
from ledger.backup.putting_back import KeylessList, put_back
from ledger.backup.restoring import Checked, Placed, place_logs
from ledger.blobs.contract import Blobs
from ledger.cli.log_store import log_blobs
from ledger.cli.service_database import make_database
from ledger.cli.service_folder import DATABASE, LOG_PASSPHRASE, Listen, ServiceFolder
from ledger.cli.service_secrets import FOLDER, KEY_FILE_NAME, PASSPHRASE
from ledger.config import Settings
from ledger.embedded.postgres import EmbeddedPostgres
from ledger.embedded.server_folder import make_folder
from ledger.keys.key_file import KeyFile, read_key_file
from ledger.keys.log_verifiers import FILE_NAME, LogVerifiers
from ledger.keys.secret_file import read_line_secret, read_secret, write_secret
from ledger.store.whole_ledger import verify_stored
from ledger.trust.note_key import parse_verifier_key
from ledger.trust.verify import Fault


@dataclass(frozen=True, slots=True)
class RestoredKeys:
    """The files of keys for a restored service."""

    held: HeldBackup
    encryption: bytes
    """The key file as it is to lie there."""
    content: KeyFile | None
    """What it opens to; None where no passphrase was given."""
    passphrase: Path | None
    log_passphrase: Path | None


def restored_keys(
    held: HeldBackup | None, key_file: Path | None, passphrase: Path | None, log_passphrase: Path | None
) -> RestoredKeys | None:
    """The files of keys, opened where the passphrase is at hand; None without a backup of keys. KeyFileUnusable."""
    if held is None:
        if key_file:
            raise RestoreRefused(["--key-file: of no use without --keys"])
        return None
    file = key_file or held.folder / KEY_FILE
    content = read_key_file(file, read_line_secret(passphrase)) if passphrase else None
    return RestoredKeys(held, read_secret(file), content, passphrase, log_passphrase)


def placed_logs(checked: Checked, living: Blobs | None, target: Blobs) -> Placed:
    """As `place_logs`; says whose records are not opened for now, and what opens them."""
    placed = place_logs(checked, living, target)
    for each in placed.unseen if checked.keys else ():
        click.echo(
            f"{each.hospital}: no record is opened: whether one was destroyed at positions {each.first} to {each.upto} "
            "neither these KEYS nor the log say. `ledger repair refill` ends that; newer KEYS avoid it; where records "
            f"are needed at once, `ledger keys release {each.hospital}`, by two persons"
        )
    return placed


def say_keyless(found: KeylessList) -> None:
    """Says that older KEYS hold a ledger back whose succession they do not know."""
    click.echo(
        f"{found.hospital}: no record is opened: which of them stay destroyed stands at position {found.position}, and "
        "these KEYS are older and do not open it. Newer KEYS avoid it; where records are needed at once, "
        f"`ledger keys release {found.hospital}`, by two persons"
    )


def restored_service(
    folder: Path, checked: Checked, living: Blobs | None, settings: Settings, keys: RestoredKeys | None
) -> None:
    """Makes the folder. Nothing of it is there before all of it is.

    RestoreRefused where it is not empty, a passphrase lacks, or the rows do not hold once PostgreSQL has them.
    """
    _require_startable(folder, keys)
    folder = folder.resolve()
    building = folder.with_name(f".{folder.name}.restoring-{secrets.token_hex(4)}")
    postgres = EmbeddedPostgres(make_folder(building) / "postgres")
    try:
        logs = partial(placed_logs, checked, living, log_blobs(replace(settings, data_dir=building)))
        _fill(building, postgres, checked, keys, logs)
    except BaseException:
        postgres.stop()
        postgres.remove_elsewhere()
        shutil.rmtree(building)
        raise
    building.rename(folder)
    _sync(folder.parent)


def _fill(
    building: Path,
    postgres: EmbeddedPostgres,
    checked: Checked,
    keys: RestoredKeys | None,
    logs: Callable[[], Placed],
) -> None:
    service = ServiceFolder.open(building, checked.events.manifest.stream, Listen())
    with postgres:
        make_database(postgres)
        asyncio.run(
            put_back(postgres.url(DATABASE), checked.events, checked.keys, logs, say_keyless, service.passwords)
        )
        _require_whole(service.url("ledger_append", postgres.port), checked)
    _write_verifiers(building, checked)
    if keys:
        _write_keys(building, keys)
    service.keep(new_secrets=keys is not None)


def _require_whole(url: str, checked: Checked) -> None:
    for each in checked.events.manifest.ledgers:
        found = asyncio.run(verify_stored(url, each.hospital))
        if isinstance(found, Fault):
            raise RestoreRefused([f"{each.hospital}: {found}"])


def _require_startable(folder: Path, keys: RestoredKeys | None) -> None:
    faults: list[str] = []
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        faults.append(f"{folder}: not an empty folder; a service is restored into a new one")
    if keys and keys.passphrase is None:
        faults.append("--key-passphrase-file: missing; without it the service opens no key")
    if keys and keys.log_passphrase is None and note_key_names(keys.held):
        faults.append("--log-passphrase-file: missing; without it no log can be signed on")
    if faults:
        raise RestoreRefused(faults)


def _write_verifiers(building: Path, checked: Checked) -> None:
    """Every key that the backup knew of: its heads may be from before the keys changed that lie beside it."""
    own = building / FOLDER
    own.mkdir(mode=0o700)
    verifiers = LogVerifiers(own / FILE_NAME)
    for line in checked.log_keys:
        verifiers.add(parse_verifier_key(line))


def _write_keys(building: Path, keys: RestoredKeys) -> None:
    own = building / FOLDER
    write_secret(own / KEY_FILE_NAME, keys.encryption, new=True)
    if keys.passphrase:
        write_secret(own / PASSPHRASE, read_secret(keys.passphrase), new=True)
    for name in note_key_names(keys.held):
        write_secret(own / Path(name).name, read_secret(keys.held.folder / name), new=True)
    if keys.log_passphrase:
        write_secret(building / LOG_PASSPHRASE, read_secret(keys.log_passphrase), new=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
