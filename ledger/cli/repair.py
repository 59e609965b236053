"""`ledger repair`: ways on for a ledger that is older than its signed log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import click

from ledger.blobs.contract import BlobError
from ledger.cli.bodies import bodies_with_keys
from ledger.cli.ending import Ending, SuccessionUnderWay, is_under_way
from ledger.cli.log_store import known_keys, log_blobs
from ledger.cli.refilling import Refilled, Refilling, topic_of
from ledger.cli.running import settings_for
from ledger.cli.stream_options import kafka_of, kafka_option
from ledger.cli.succession import succeed
from ledger.config import Settings
from ledger.keys.errors import KeyFileUnusable, KeysUnavailable
from ledger.log.log_files import REPAIR, SIGNED, LogDamaged, LogFiles, log_folder
from ledger.log.own_heads import newest_head
from ledger.log.seen_files import read_seen
from ledger.log.seen_heads import SeenHeads
from ledger.log.signed_history import AnotherHistory
from ledger.store.errors import StoreUnavailable, UnknownHospital
from ledger.store.refill import NotRefilled, open_refill
from ledger.stream.contract import StreamUnavailable
from ledger.trust.format_fault import FormatFault
from ledger.trust.merkle import TREE_SIZE_MAX
from ledger.trust.sealing import Opener

_FAULTS = (
    BlobError, FormatFault, KeyFileUnusable, KeysUnavailable, LogDamaged, NotRefilled, StreamUnavailable,
)  # fmt: skip
_dir = click.option(
    "--dir", "folder", type=click.Path(path_type=Path), help="Folder of the `ledger up` that runs; else the settings."
)


class NotAccepted(Exception):
    """More is known than the ledger holds: refill it, or give up what is lost (`ledger repair succeed`)."""

    def __init__(self, head: int, known: int) -> None:
        super().__init__(f"{self.__doc__} Known up to position {known}, the ledger ends at {head}.")


@click.group()
def repair() -> None:
    """Put a ledger right that was restored and is older than its signed log (docs/operations.md)."""


@repair.command()
@click.argument("hospital")
@_dir
@kafka_option
def refill(hospital: str, folder: Path | None, kafka: str) -> None:
    """Refill missing positions of HOSPITAL byte for byte from the log's bundles, and where those end from its topic.

    What the log has signed comes to the signed root or is not put back. May be begun again at any moment. Commands stay
    refused until `ledger repair accept`: neither holds the reservations and command ids that went with the events.
    """
    settings = settings_for("postgres_append_url", beside=folder)
    with _shown_faults(hospital):
        done, halted = asyncio.run(_refill(settings, hospital, kafka))
    if done.last < done.first:
        click.echo(
            f"{hospital}: nothing is missing that the log or the topic has; the root is the one that was signed."
        )
        if halted:
            click.echo(f"It stays halted: {halted}")
        return
    click.echo(
        f"{hospital}: positions {done.first:,} to {done.last:,} are back; the ledger has the root that was signed."
    )
    if done.unsigned:
        click.echo(
            f"The last {done.unsigned:,} of them the topic alone had, beyond what was signed: they follow, and open."
        )
    click.echo(
        "Neither in the log nor back: the reservations and command ids of these positions. Once you have seen to"
    )
    click.echo(f"that (docs/operations.md), `ledger repair accept {hospital}` lets commands in again.")


@repair.command()
@click.argument("hospital")
@_dir
def accept(hospital: str, folder: Path | None) -> None:
    """Let commands of HOSPITAL in again after `refill`, once the ledger holds all that is known to have been there."""
    settings = settings_for("postgres_append_url", beside=folder)
    with _shown_faults(hospital):
        asyncio.run(_accept(settings, hospital))
    click.echo(f"{hospital}: accepted; what other roles have found stays (`ledger status`).")


repair.add_command(succeed)


@contextmanager
def _shown_faults(hospital: str) -> Generator[None]:
    try:
        yield
    except (*_FAULTS, AnotherHistory, NotAccepted, SuccessionUnderWay) as error:
        raise click.ClickException(f"{hospital}: {error}") from error
    except UnknownHospital as error:
        raise click.ClickException(f"{hospital}: {UnknownHospital.__doc__}") from error
    except StoreUnavailable as error:
        raise click.ClickException("PostgreSQL cannot be reached") from error


async def _accept(settings: Settings, hospital: str) -> None:
    async with open_refill(settings.postgres_append_url, hospital) as ledger:
        files = LogFiles(log_blobs(settings), log_folder(hospital, await ledger.origin()))
        head = await ledger.head()
        seen = await asyncio.to_thread(read_seen, files)
        await SeenHeads(seen).require_all(ledger.envelopes())
    # Whoever let commands in now would leave a log that has ended, or one that has not begun.
    if await asyncio.to_thread(is_under_way, files):
        raise SuccessionUnderWay
    # Whatever is appended below what somebody has seen is a second history of it.
    if (known := await asyncio.to_thread(files.known)) > head:
        raise NotAccepted(head, known)
    await asyncio.to_thread(files.resume, REPAIR)


async def _refill(settings: Settings, hospital: str, kafka: str) -> tuple[Refilled, str]:
    """What was put back, and why the log stands still after that."""
    async with open_refill(settings.postgres_append_url, hospital) as ledger:
        # By the registry: of the logs that ended before it a restored store may have little.
        origin = await ledger.origin()
        files = LogFiles(log_blobs(settings), log_folder(hospital, origin))
        # One that has ended, and that nothing goes on for yet, comes back to what its end says survives.
        ended = await Ending(settings, hospital).found(origin)
        signed = newest_head(files, origin, known_keys(settings)(origin))
        if signed is None:
            raise LogDamaged(SIGNED, "missing; there is nothing to refill from")
        with topic_of(kafka or kafka_of(settings), hospital, origin) as topic:
            async with _opener(settings) as opener:
                upto = ended.surviving if ended else TREE_SIZE_MAX
                done = await Refilling(ledger, files, signed, topic, opener, upto).run()
        return done, files.halted()


@asynccontextmanager
async def _opener(settings: Settings) -> AsyncGenerator[Opener | None]:
    """With the records' keys, where the settings name them: the log alone is refilled from without."""
    if not (settings.postgres_keys_url and settings.key_file and settings.key_passphrase_file):
        yield None
        return
    async with bodies_with_keys(settings) as bodies:
        yield bodies.checking
