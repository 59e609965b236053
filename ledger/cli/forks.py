"""`ledger forks`: logs that have shown a receiver two trees, and what persons decide about them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

import click
import grpc.aio

from consumers.archive_office.manifest import read_manifest
from consumers.fork_evidence import BegunOtherwise, Fork, decide, forks_below
from ledger.api.v1.common_pb2 import Actor as ActorMessage
from ledger.api.v1.common_pb2 import CommandContext
from ledger.api.v1.transfers_pb2 import ClearPackageForkRequest, GetPackageRequest
from ledger.api.v1.transfers_pb2_grpc import TransferServiceStub
from ledger.application.message_codec import to_domain
from ledger.cli.desks import CHECKPOINTS
from ledger.cli.errors_shown import shown_errors
from ledger.cli.person import Person
from ledger.cli.running import settings_for
from ledger.cli.service_address import address_option
from ledger.clock import clock_of
from ledger.domain.command_guards import is_person
from ledger.domain.values import Actor

_by = click.option("--by", type=Person(), required=True, help="The person who decides: ID,NAME,ROLE.")
_reason = click.option("--reason", required=True, help="Why, without clinical data; it is kept.")
_folder = click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))


@click.group()
def forks() -> None:
    """Show the forks that a receiver has seen, and write down what a person decides.

    FOLDER is an archive's, or DIR/consumers/HOSPITAL of a hospital that receives.
    """


@forks.command("list")
@_folder
def list_(folder: Path) -> None:
    """List the forks in FOLDER that nobody has decided; the exit status is 1 where there is one."""
    lines = since_fork(folder)
    for line in lines or ["no fork that waits for a person"]:
        click.echo(line)
    if lines:
        raise SystemExit(1)


@forks.command("decide")
@_folder
@click.argument("origin")
@_by
@_reason
@click.option("--right", type=click.Choice(["seen", "other"]), required=True, help="Which tree is the right one.")
def decide_(folder: Path, origin: str, by: ActorMessage, reason: str, right: str) -> None:
    """Put the evidence of a fork of the log ORIGIN aside, with the name and the reason, and take the log again.

    From what was seen (--right seen), or from the note that showed the other tree (--right other). Packages that came
    since stay marked until `ledger forks clear`; an archive that was read since the other tree began is written anew.
    """
    person = _person(by)
    fork = next((each for each in forks_below(folder / CHECKPOINTS) if each.origin == origin), None)
    if fork is None:
        raise click.ClickException(f"{folder}: no fork of {origin} waits for a person")
    now = clock_of(settings_for().clock_file)()
    try:
        aside = decide(fork, f"{person.name} ({person.id})", reason, now, other_is_right=right == "other")
    except BegunOtherwise as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{origin}: decided; both notes, and by whom, lie in {aside}")


@forks.command("clear")
@click.argument("hospital")
@click.argument("transfers", nargs=-1, required=True, type=click.UUID)
@_by
@_reason
@address_option
def clear(hospital: str, transfers: tuple[UUID, ...], by: ActorMessage, reason: str, address: str) -> None:
    """Say that the packages of TRANSFERS, received by HOSPITAL since a fork, may be trusted again."""
    _person(by)
    with shown_errors():
        asyncio.run(_clear(hospital, transfers, by, reason, address))


async def _clear(hospital: str, transfers: tuple[UUID, ...], by: ActorMessage, reason: str, address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        stub = TransferServiceStub(channel)
        for each in transfers:
            found = await stub.GetPackage(GetPackageRequest(hospital=hospital, transfer_id=str(each)))
            context = CommandContext(hospital=hospital, command_id=str(uuid4()), actor=by, purpose="RECORDMGT")
            await stub.ClearPackageFork(
                ClearPackageForkRequest(context=context, package_id=found.package.package_id, reason=reason)
            )
            click.echo(f"{each}: {'cleared' if found.package.since_fork else 'was not marked'}")


def since_fork(folder: Path) -> list[str]:
    """Each fork that waits for a person, and what an archive in the folder holds since."""
    manifest = read_manifest(folder)
    return [_words(each, manifest.head_position if manifest else 0) for each in forks_below(folder / CHECKPOINTS)]


def _words(fork: Fork, archived: int) -> str:
    said = f"{fork.origin}: FORKED, both trees are the same up to size {fork.common_size:,}; both notes: {fork.folder}"
    if archived <= fork.common_size:
        return said
    return f"{said}; positions {fork.common_size + 1:,} to {archived:,} of this archive came since a fork"


def _person(by: ActorMessage) -> Actor:
    person = to_domain(by, Actor)
    if not is_person(person):
        raise click.ClickException("a person decides, no system")
    return person
