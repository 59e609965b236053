"""`ledger restore`: puts a backup back, never to a state before what was published."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from ledger.backup.asking import Asked, ask_log, ask_topic, ask_witnesses
from ledger.backup.faults import RestoreRefused
from ledger.backup.key_part import opening
from ledger.backup.manifest import Ledger
from ledger.backup.published import Seen
from ledger.backup.putting_back import put_back
from ledger.backup.restoring import Ask, Checked, checked_backup, place_logs
from ledger.blobs.contract import Blobs
from ledger.cli.backup import shown_faults
from ledger.cli.log_store import blobs_at, log_blobs, read_policy
from ledger.cli.restored_service import RestoredKeys, restored_keys, restored_service
from ledger.cli.running import settings_for
from ledger.cli.signed_heads import of_hospital, signed_heads
from ledger.cli.trusted_keys import policy_of, trust_options
from ledger.config import Settings
from ledger.stream.contract import StreamUnavailable
from ledger.trust.note_key import VerifierKey
from ledger.trust.policy import Policy, Witnessed

_path = click.Path(path_type=Path)
_file = click.Path(path_type=Path, exists=True, dir_okay=False)


@dataclass(frozen=True, slots=True)
class _Living:
    """What lives on and can be asked."""

    logs: Mapping[str, Blobs]
    """By name as an operator knows it."""
    named_log: str
    """The one that must be there; empty for none."""
    heads: Sequence[Witnessed]
    kafka: str
    policy: Policy | None
    key: VerifierKey | None

    def asks(self) -> list[Ask]:
        asks: list[Ask] = [lambda ledger, _: self._checkpoints(ledger)]
        for name, log in self.logs.items():
            asks.append(lambda ledger, _, log=log, name=name: self._log(ledger, log, name))
        if self.kafka:
            asks.append(lambda ledger, _: ask_topic(self.kafka, ledger))
        if (policy := self.policy) and policy.witnesses:
            asks.append(lambda ledger, own: ask_witnesses(policy, own, ledger))
        return asks

    def _log(self, ledger: Ledger, log: Blobs, name: str) -> Asked:
        found = ask_log(log, name, ledger, self.key)
        if name == self.named_log and ledger.log and not found.seen:
            raise RestoreRefused([f"{name}: no log of {ledger.hospital} there"])
        return found

    def _checkpoints(self, ledger: Ledger) -> Asked:
        heads = [head.checkpoint for head in of_hospital(self.heads, ledger.hospital)]
        return Asked(
            tuple(Seen(f"a checkpoint of {head.origin}", ledger.hospital, head.size, head.root) for head in heads)
        )


@click.command()
@click.argument("backup", type=_path)
@click.option("--keys", type=_path, help="Backup of the keys; without it every hospital is closed.")
@click.option(
    "--dir", "folder", type=_path, help="Folder of a new `ledger up`; else the empty cluster of the settings."
)
@click.option("--log", "log", help="Store of the logs that lives on: a folder or s3://bucket/prefix.")
@click.option("--checkpoint", "checkpoints", multiple=True, help="Signed checkpoint that was kept: file, folder, URL.")
@click.option("--kafka", default="", help="Kafka that lives on, host:port; else that of the settings.")
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
    if checkpoints and trusted is None:
        raise click.UsageError("--checkpoint needs --key or --policy")
    named = trusted or (read_policy(settings.log_policy) if settings.log_policy else None)
    heads = signed_heads(checkpoints, trusted) if trusted else []
    living = _living(settings, folder, log, heads, kafka, named, key)
    with shown_faults():
        found = _checked(backup, keys, living, for_repair=for_repair)
        held_keys = restored_keys(found.keys, key_file, key_passphrase_file, log_passphrase_file)
        _say_seen(found)
        _say_keys(found, held_keys)
        if folder:
            restored_service(folder, found, living.logs.get(log or ""), settings, held_keys)
        else:
            place_logs(found, living.logs.get(log or ""), log_blobs(settings))
            asyncio.run(put_back(settings.postgres_migrate_url, found.events, found.keys))
    _say_done(found, folder)


def _living(
    settings: Settings,
    folder: Path | None,
    log: str | None,
    heads: Sequence[Witnessed],
    kafka: str,
    policy: Policy | None,
    key: VerifierKey | None,
) -> _Living:
    """A store that the settings name lives on by itself; the `log` in a folder that is yet to be made does not."""
    logs = {log: blobs_at(log)} if log else {}
    if settings.blobs or not folder:
        logs[settings.blobs or str(settings.data_dir / "log")] = log_blobs(settings)
    topic = kafka or (settings.kafka_bootstrap if settings.stream == "kafka" else "")
    return _Living(logs, log or "", heads, topic, policy, key)


def _checked(backup: Path, keys: Path | None, living: _Living, *, for_repair: bool) -> Checked:
    try:
        found = checked_backup(backup, keys, living.asks(), living.key, for_repair=for_repair)
    except StreamUnavailable as error:
        raise RestoreRefused([str(error)]) from error
    strange = [
        head.checkpoint.origin
        for head in living.heads
        if not any(of_hospital([head], each.hospital) for each in found.events.manifest.ledgers)
    ]
    if strange:
        raise RestoreRefused(
            [f"a checkpoint of {origin}: no ledger of this origin in the backup" for origin in strange]
        )
    return found


def _say_seen(found: Checked) -> None:
    for each in found.unasked:
        click.echo(each)
    for ledger in found.events.manifest.ledgers:
        others = [
            each for each in found.seen if each.hospital == ledger.hospital and "of this backup" not in each.source
        ]
        for each in others:
            click.echo(f"{ledger.hospital}: compared with {each.source}, {each.size:,} positions")
        if not others:
            click.echo(
                f"{ledger.hospital}: compared with nothing outside this backup. That nothing newer was published, "
                "nobody says."
            )


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
    if folder:
        click.echo(f"Start it with `ledger up --dir {folder}`; views are built from the events.")
