"""`ledger backup`: whole ledgers as files, and their keys apart from them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from ledger.backup.faults import BackupRefused, BadBackup, Behind, RestoreRefused
from ledger.backup.key_part import KeyFiles
from ledger.backup.manifest import EVENTS, Manifest
from ledger.backup.new_backup import NewBackup, refuse_inside
from ledger.backup.taking import Source, take_backup
from ledger.blobs.contract import BlobError
from ledger.cli.errors_shown import said
from ledger.cli.log_store import key_folder, known_keys, log_blobs
from ledger.cli.running import settings_for
from ledger.keys.errors import KeyProblem
from ledger.keys.private_file import UnsafeFile
from ledger.log.log_files import LogDamaged
from ledger.store.errors import StoreError
from ledger.trust.sealed_key import SealedKeyFault

BACKUP_ERRORS = (
    BackupRefused,
    BadBackup,
    Behind,
    RestoreRefused,
    BlobError,
    LogDamaged,
    KeyProblem,
    UnsafeFile,
    SealedKeyFault,
    StoreError,
    OSError,
)
"""Each says in its own words what is wrong, without content."""


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--dir", "beside", type=click.Path(path_type=Path), help="Folder of the `ledger up`; else the settings.")
@click.option("--hospital", "hospitals", multiple=True, help="Of these alone; else of every one.")
@click.option("--keys-to", type=click.Path(path_type=Path), help="Where the keys go: another folder, another medium.")
def backup(folder: Path | None, beside: Path | None, hospitals: tuple[str, ...], keys_to: Path | None) -> None:
    """Back up ledgers into FOLDER, which is made: events, reservations, register of commands, actors, logs; no keys.

    With --keys-to the wrapped keys and the key files go into a folder of their own, without the passphrases, from the
    same moment; with --keys-to alone nothing but them. Writers go on meanwhile.
    """
    if folder is None and keys_to is None:
        raise click.UsageError("FOLDER, --keys-to, or both")
    settings = settings_for("postgres_migrate_url", beside=beside)
    with shown_faults():
        if folder and keys_to:
            refuse_inside(keys_to, folder)
        source = Source(
            settings.postgres_migrate_url,
            log_blobs(settings),
            known_keys(settings),
            settings.stream,
            hospitals,
            datetime.now(UTC),
        )
        made = take_backup(
            source,
            NewBackup(folder) if folder else None,
            NewBackup(keys_to) if keys_to else None,
            KeyFiles(settings.key_file, key_folder(settings)),
        )
    for each in made:
        _say(each, folder if each.kind == EVENTS else keys_to)
    if keys_to:
        click.echo(
            "Not in it: the passphrases of the key files. Keep them on a third medium; a lost one is a lost key."
        )


def _say(made: Manifest, folder: Path | None) -> None:
    size = sum(each.size for each in made.files.values())
    click.echo(f"{folder}: {made.kind}, {len(made.files):,} files, {size:,} bytes")
    for each in made.ledgers if made.kind == EVENTS else ():
        signed = f"signed up to {each.log.size:,}" if each.log else "nothing signed yet"
        click.echo(f"  {each.hospital}: {each.origin}, positions 1 to {each.head_position:,}, {signed}")


@contextmanager
def shown_faults() -> Generator[None]:
    """Turns every fault of a backup into lines, status 1."""
    try:
        yield
    except BACKUP_ERRORS as error:
        raise click.ClickException(said(error)) from error
