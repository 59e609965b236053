"""`ledger repair`: ways on for a ledger that is older than its signed log."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import click

from ledger.blobs.contract import BlobError
from ledger.cli.log_store import log_blobs
from ledger.cli.running import settings_for
from ledger.cli.succession import succeed
from ledger.config import Settings
from ledger.keys.key_folder import KeyFolder, read_sealed_key
from ledger.keys.private_file import UnsafeFile
from ledger.log.log_files import REPAIR, SIGNED, LogDamaged, LogFiles
from ledger.log.own_heads import own_head
from ledger.log.present_log import PresentLogs
from ledger.log.signed_history import AnotherHistory, kept_events, require_beginning
from ledger.store.errors import StoreUnavailable, UnknownHospital
from ledger.store.refill import LedgerRefill, NotRefilled, open_refill
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Frontier
from ledger.trust.note_key import KeyKind
from ledger.trust.sealed_key import SealedKeyFault

_FAULTS = (BlobError, LogDamaged, NotRefilled)
_dir = click.option(
    "--dir", "folder", type=click.Path(path_type=Path), help="Folder of the `ledger up` that runs; else the settings."
)


@dataclass(frozen=True, slots=True)
class Refilled:
    """What was put back."""

    first: int
    last: int


@click.group()
def repair() -> None:
    """Put a ledger right that was restored and is older than its signed log (docs/operations.md)."""


@repair.command()
@click.argument("hospital")
@_dir
def refill(hospital: str, folder: Path | None) -> None:
    """Refill missing positions of HOSPITAL byte for byte from the log's bundles, then check the root.

    May be begun again at any moment. Commands stay refused until `ledger repair accept`: the log holds events, not the
    reservations and command ids that went with them.
    """
    settings = settings_for("postgres_append_url", beside=folder)
    files = _present_log(settings, hospital)
    keys = KeyFolder(settings.log_keys or settings.data_dir / "keys")
    try:
        done = asyncio.run(_refill(settings.postgres_append_url, hospital, files, keys))
    except (*_FAULTS, AnotherHistory) as error:
        raise click.ClickException(str(error)) from error
    except UnknownHospital as error:
        raise click.ClickException(f"{hospital}: {UnknownHospital.__doc__}") from error
    except StoreUnavailable as error:
        raise click.ClickException("PostgreSQL cannot be reached") from error
    if done is None:
        click.echo(f"{hospital}: nothing is missing; the ledger has the root that was signed.")
        return
    click.echo(
        f"{hospital}: positions {done.first:,} to {done.last:,} are back; the ledger has the root that was signed."
    )
    click.echo(
        "Not in the log, and not back: the reservations and command ids of these positions. Once you have seen to"
    )
    click.echo(f"that (docs/operations.md), `ledger repair accept {hospital}` lets commands in again.")


@repair.command()
@click.argument("hospital")
@_dir
def accept(hospital: str, folder: Path | None) -> None:
    """Let commands of HOSPITAL in again after `refill`."""
    settings = settings_for(beside=folder)
    try:
        _present_log(settings, hospital).resume(REPAIR)
    except BlobError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{hospital}: accepted; what other roles have found stays (`ledger status`).")


repair.add_command(succeed)


def _present_log(settings: Settings, hospital: str) -> LogFiles:
    blobs = log_blobs(settings)
    return LogFiles(blobs, PresentLogs(blobs).folder_of(hospital))


async def _refill(url: str, hospital: str, files: LogFiles, keys: KeyFolder) -> Refilled | None:
    signed = signed_head(hospital, files, keys)
    async with open_refill(url, hospital) as ledger:
        tree = Frontier()
        async for envelope in ledger.envelopes():
            tree.append(leaf_hash(envelope))
            if tree.size == signed.size:
                break
        require_beginning(files, tree, signed)
        first = tree.size + 1
        if first > signed.size:
            return None
        # Said before the first event is back: what ends in between must not let commands in.
        files.halt(
            REPAIR, f"positions {first} to {signed.size} are refilled; `ledger repair accept` when that is seen to"
        )
        await _put_back(ledger, files, tree, signed)
        require_beginning(files, tree, signed)
    return Refilled(first, signed.size)


def signed_head(hospital: str, files: LogFiles, keys: KeyFolder) -> Checkpoint:
    """The last head of this hospital's log, under the log's own key in the folder of note keys. LogDamaged."""
    note = files.signed()
    if note is None:
        raise LogDamaged(SIGNED, "missing; there is nothing to refill from")
    origin = parse_checkpoint(note.text).origin
    if origin.split("/")[-2:-1] != [hospital]:
        raise LogDamaged(SIGNED, "of another hospital")
    try:
        found = [read_sealed_key(path).verifier for path in keys.signing_paths(origin, KeyKind.ED25519)]
    except (OSError, UnsafeFile, SealedKeyFault) as error:
        raise LogDamaged(SIGNED, f"cannot be verified; the key of {origin}: {type(error).__name__}") from error
    return own_head(note, origin, found, SIGNED)


async def _put_back(ledger: LedgerRefill, files: LogFiles, tree: Frontier, signed: Checkpoint) -> None:
    """Bundle by bundle, each a transaction. The root over a bundle is compared before it is stored."""
    for events in kept_events(files, tree, signed):
        await ledger.put_back(tree.size + 1, events)
