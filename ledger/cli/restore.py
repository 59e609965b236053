"""`ledger restore`: puts a backup back, never to a state before what was published."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import click

from ledger.backup.key_part import opening
from ledger.backup.putting_back import put_back, require_ready
from ledger.backup.restoring import Checked
from ledger.blobs.contract import Blobs
from ledger.cli.backup import shown_faults
from ledger.cli.living import checked_with, keys_of, living_at, say_seen
from ledger.cli.log_store import known_keys, log_blobs, read_policy
from ledger.cli.restored_service import RestoredKeys, placed_logs, restored_keys, restored_service, say_keyless
from ledger.cli.running import settings_for
from ledger.cli.signed_heads import kept
from ledger.cli.stream_options import kafka_option
from ledger.cli.trusted_keys import policy_of, trust_options
from ledger.config import Settings
from ledger.trust.note_key import VerifierKey

_path = click.Path(path_type=Path)
_file = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.argument("backup", type=_path)
@click.option("--keys", type=_path, help="Backup of the keys; without it every hospital is closed.")
@click.option(
    "--dir", "folder", type=_path, help="Folder of a new `ledger up`; else the empty cluster of the settings."
)
@click.option("--log", "log", help="Store of the logs that lives on: a folder or s3://bucket/prefix.")
@click.option("--checkpoint", "checkpoints", multiple=True, help="Signed checkpoint that was kept: file, folder, URL.")
@click.option("--ended", multiple=True, help="How a log ended: a file, or the URL of `succeeded` beside its successor.")
@kafka_option
@click.option("--key-file", type=_file, help="Key-encryption keys in the place of those in --keys.")
@click.option("--key-passphrase-file", type=_file, help="Opens the key-encryption keys.")
@click.option("--log-passphrase-file", type=_file, help="Opens the logs' note keys.")
@click.option("--for-repair", is_flag=True, help="Put back also what is behind; it takes no commands until repaired.")
@trust_options
def restore(
    backup: Path,
    keys: Path | None,
    folder: Path | None,
    log: str | None,
    checkpoints: tuple[str, ...],
    ended: tuple[str, ...],
    kafka: str,
    key_file: Path | None,
    key_passphrase_file: Path | None,
    log_passphrase_file: Path | None,
    for_repair: bool,
    key: VerifierKey | None,
    policy: Path | None,
) -> None:
    """Put BACKUP into a new service (--dir) or into an empty cluster; refused where more was published than it holds.

    Every file is hashed and every chain walked first; what is wrong is named, and nothing written. What was published
    is seen in --log, --checkpoint, the topic, and the witnesses of --policy; name whatever lives on.
    """
    settings = settings_for(own_servers=True) if folder else settings_for("postgres_migrate_url")
    trusted = policy_of(key, policy)
    remembered = kept(checkpoints, ended, trusted)
    witnesses = trusted if trusted and trusted.witnesses else None
    if witnesses is None and settings.log_policy:
        witnesses = read_policy(settings.log_policy)
    living = living_at(settings, folder, log, remembered, kafka, witnesses, keys_of(trusted, known_keys(settings)))
    with shown_faults():
        found = checked_with(backup, keys, living, for_repair=for_repair)
        held_keys = restored_keys(found.keys, key_file, key_passphrase_file, log_passphrase_file)
        say_seen(found)
        _say_keys(found, held_keys)
        if folder:
            restored_service(folder, found, living.logs.get(log or ""), settings, held_keys)
        else:
            _into_cluster(settings, found, living.logs.get(log or ""))
    _say_done(found, folder)


def _into_cluster(settings: Settings, found: Checked, living: Blobs | None) -> None:
    url = settings.postgres_migrate_url
    # Before the log is touched: what stands in a full cluster must not be halted by who mistook it for an empty one.
    asyncio.run(require_ready(url, found.events))
    logs = partial(placed_logs, found, living, log_blobs(settings))
    for each in asyncio.run(put_back(url, found.events, found.keys, logs, say_keyless)):
        if each.failure:
            click.echo(f"{each.schema}: not brought to this release; run `ledger migrate`")


def _say_keys(found: Checked, keys: RestoredKeys | None) -> None:
    if found.keys is None:
        click.echo("Without keys: every hospital is closed, no body can be opened; history can be verified.")
        return
    if found.keyless:
        click.echo(
            f"{found.keyless:,} records have no key in {found.keys.folder}: they cannot be opened (KEY_MISSING)."
        )
    if keys is not None and keys.content is not None:
        opened = opening(found.keys, keys.content)
        click.echo(f"{opened.open:,} of {opened.keys:,} record keys open with the key file.")


def _say_done(found: Checked, folder: Path | None) -> None:
    for each in found.events.manifest.ledgers:
        click.echo(f"{each.hospital}: restored, positions 1 to {each.head_position:,}")
        for line in found.missing.get(each.hospital, ()):
            click.echo(f"  takes no commands: {line}")
    if found.missing:
        click.echo("Now `ledger repair refill HOSPITAL`, or `ledger repair succeed` where the bytes are lost for good.")
    if found.keys and not folder:
        click.echo(f"Now copy the files of keys from {found.keys.folder} to LEDGER_KEY_FILE and LEDGER_LOG_KEYS.")
    if found.log_keys and not folder:
        click.echo("and see that LEDGER_LOG_VERIFIERS has every key that its logs were signed with:")
        for key in found.log_keys:
            click.echo(f"  {key}")
    if folder:
        click.echo(f"Start it with `ledger up --dir {folder}`; views are built from the events.")
