"""`ledger repair`: ways on for a ledger that is older than its signed log."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from ledger.blobs.contract import BlobError
from ledger.cli.log_store import known_keys, log_blobs
from ledger.cli.running import settings_for
from ledger.cli.succession import SuccessionUnderWay, is_under_way, succeed
from ledger.config import Settings
from ledger.log.log_files import REPAIR, SIGNED, LogDamaged, LogEndedForEver, LogFiles, log_folder
from ledger.log.own_heads import newest_head
from ledger.log.signed_history import AnotherHistory, kept_events, require_beginning
from ledger.store.errors import StoreUnavailable, UnknownHospital
from ledger.store.refill import LedgerRefill, NotRefilled, open_refill
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Frontier

_FAULTS = (BlobError, LogDamaged, LogEndedForEver, NotRefilled)
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
    with _shown_faults(hospital):
        done = asyncio.run(_refill(settings, hospital))
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
    settings = settings_for("postgres_append_url", beside=folder)
    with _shown_faults(hospital):
        asyncio.run(_accept(settings, hospital))
    click.echo(f"{hospital}: accepted; what other roles have found stays (`ledger status`).")


repair.add_command(succeed)


@contextmanager
def _shown_faults(hospital: str) -> Generator[None]:
    try:
        yield
    except (*_FAULTS, AnotherHistory, SuccessionUnderWay) as error:
        raise click.ClickException(f"{hospital}: {error}") from error
    except UnknownHospital as error:
        raise click.ClickException(f"{hospital}: {UnknownHospital.__doc__}") from error
    except StoreUnavailable as error:
        raise click.ClickException("PostgreSQL cannot be reached") from error


async def _accept(settings: Settings, hospital: str) -> None:
    async with open_refill(settings.postgres_append_url, hospital) as ledger:
        files = LogFiles(log_blobs(settings), log_folder(hospital, await ledger.origin()))
    # Whoever let commands in now would leave a log that has ended, or one that has not begun.
    if await asyncio.to_thread(is_under_way, files):
        raise SuccessionUnderWay
    await asyncio.to_thread(files.resume, REPAIR)


async def _refill(settings: Settings, hospital: str) -> Refilled | None:
    async with open_refill(settings.postgres_append_url, hospital) as ledger:
        # By the registry: of the logs that ended before it a restored store may have little.
        origin = await ledger.origin()
        files = LogFiles(log_blobs(settings), log_folder(hospital, origin))
        files.refuse_if_ended()
        signed = newest_head(files, origin, known_keys(settings)(origin))
        if signed is None:
            raise LogDamaged(SIGNED, "missing; there is nothing to refill from")
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


async def _put_back(ledger: LedgerRefill, files: LogFiles, tree: Frontier, signed: Checkpoint) -> None:
    """Bundle by bundle, each a transaction. The root over a bundle is compared before it is stored."""
    for events in kept_events(files, tree, signed):
        await ledger.put_back(tree.size + 1, events)
