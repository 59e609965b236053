"""`ledger verify backup`: a backup where it lies, every byte of it, and against signed checkpoints."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli.backup import shown_faults
from ledger.cli.living import Living, checked_with, keys_of, say_seen
from ledger.cli.log_store import known_keys
from ledger.cli.running import settings_for
from ledger.cli.signed_heads import kept
from ledger.cli.trusted_keys import policy_of, trust_options
from ledger.trust.note_key import VerifierKey


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--checkpoint", "checkpoints", multiple=True, help="Signed checkpoint that was kept: file, folder, URL.")
@click.option("--ended", multiple=True, help="How a log ended: a file, or the URL of `succeeded` beside its successor.")
@trust_options
def backup(
    folder: Path, checkpoints: tuple[str, ...], ended: tuple[str, ...], key: VerifierKey | None, policy: Path | None
) -> None:
    """Check the backup of events in FOLDER: every file's digest, every chain and body, the signed heads of its logs.

    What `ledger restore` checks, without a database. Says that the end is the end against --checkpoint alone.
    """
    trusted = policy_of(key, policy)
    remembered = kept(checkpoints, ended, trusted)
    keys = keys_of(trusted, known_keys(settings_for()))
    with shown_faults():
        found = checked_with(folder, None, Living({}, "", remembered, "", None, keys), for_repair=False)
    say_seen(found)
    for each in found.events.manifest.ledgers:
        click.echo(f"{each.hospital}: holds, positions 1 to {each.head_position:,}")
