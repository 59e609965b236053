"""`ledger verify backup`: a backup where it lies, every byte of it, and against signed checkpoints."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from ledger.backup.manifest import Ledger
from ledger.backup.restoring import Checked
from ledger.backup.walked_ledger import Walking
from ledger.cli.backup import shown_faults
from ledger.cli.checking_bar import checking_bars
from ledger.cli.living import Living, checked_with, keys_of, say_seen
from ledger.cli.log_store import known_keys
from ledger.cli.running import settings_for
from ledger.cli.signed_heads import kept
from ledger.cli.trusted_keys import policy_of, trust_options
from ledger.trust.note_key import VerifierKey
from ledger.trust.policy import Policy, Witnessed


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--checkpoint", "checkpoints", multiple=True, help="Signed checkpoint that was kept: file, folder, URL.")
@click.option("--ended", multiple=True, help="How a log ended: a file, or the URL of `succeeded` beside its successor.")
@click.option("--since", multiple=True, help="Checkpoint up to which all of its log was verified before: as above.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes that check the events; else one a core.")
@trust_options
def backup(
    folder: Path,
    checkpoints: tuple[str, ...],
    ended: tuple[str, ...],
    since: tuple[str, ...],
    jobs: int | None,
    key: VerifierKey | None,
    policy: Path | None,
) -> None:
    """Check the backup of events in FOLDER: every file's digest, every chain and body, the signed heads of its logs.

    What `ledger restore` checks, without a database. Says that the end is the end against --checkpoint alone. What
    --since covers is hashed all the same, since a backup is another copy: envelopes, bodies and columns must lead to
    that checkpoint; their chains, which it covers, are not walked again.
    """
    trusted = policy_of(key, policy)
    before = kept(since, (), trusted).heads
    with shown_faults():
        found = _checked(folder, (*since, *checkpoints), ended, before, jobs or os.cpu_count() or 1, trusted)
    say_seen(found)
    for each in found.events.manifest.ledgers:
        known = _verified_before(before, each)
        again = f", 1 to {known:,} hashed to the checkpoint verified before" if known else ""
        click.echo(f"{each.hospital}: holds, positions 1 to {each.head_position:,}{again}")


def _checked(
    folder: Path,
    checkpoints: Sequence[str],
    ended: Sequence[str],
    before: Sequence[Witnessed],
    jobs: int,
    trusted: Policy | None,
) -> Checked:
    remembered = kept(checkpoints, ended, trusted)
    living = Living({}, "", remembered, "", None, keys_of(trusted, known_keys(settings_for())))
    with checking_bars() as begin:
        walking = Walking(lambda each: _verified_before(before, each), jobs, progress=lambda each: begin(each.hospital))
        hashing = begin("files, bytes")
        return checked_with(folder, None, living, for_repair=False, walking=walking, hashing=hashing)


def _verified_before(before: Sequence[Witnessed], ledger: Ledger) -> int:
    """Up to which position; by heads of its present log alone, since of one that ended not everything need be left."""
    sizes = [head.checkpoint.size for head in before if head.checkpoint.origin == ledger.origin]
    return max(sizes, default=0)
