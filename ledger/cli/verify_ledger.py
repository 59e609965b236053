"""`ledger verify [ledger]`: every stored byte hashed again, every chain walked, the first fault named."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from uuid import UUID

import click
import grpc.aio
from click.core import ParameterSource

from consumers.archive_office.manifest import BadManifest
from consumers.archive_office.record_file import ArchiveFileChanged
from consumers.archive_office.verification import verify_archive
from ledger.api.v1.stream_pb2 import ListHospitalsRequest, ReadHospitalRequest
from ledger.api.v1.stream_pb2_grpc import HospitalServiceStub, StreamServiceStub
from ledger.cli.errors_shown import shown_errors
from ledger.cli.service_address import DEFAULT_ADDRESS
from ledger.cli.service_folder import ServiceFolder
from ledger.store.errors import StoreUnavailable, UnknownHospital
from ledger.store.whole_ledger import registered_hospitals, verify_stored
from ledger.trust.verify import Fault, LedgerWalk, Row, Summary

_BATCH_EVENTS = 1000
_URL_VARIABLE = "LEDGER_POSTGRES_APPEND_URL"
_CHANNEL_OPTIONS = [("grpc.max_receive_message_length", 8 * 1024 * 1024)]


@click.command()
@click.argument("hospitals", nargs=-1)
@click.option("--archive", type=click.Path(path_type=Path), help="Check this archive's files instead of a service.")
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), help="Check what PostgreSQL of the `ledger up` on DIR holds."
)
@click.option("--address", default=DEFAULT_ADDRESS, show_default=True, help="gRPC address of the service.")
@click.pass_context
def ledger(
    context: click.Context, hospitals: tuple[str, ...], archive: Path | None, folder: Path | None, address: str
) -> None:
    """Check the ledgers of HOSPITALS (none named: every one), or an archive's files.

    With --dir, or with LEDGER_POSTGRES_APPEND_URL set and no --address, the rows of PostgreSQL are read, and the
    columns beside the events, stream heads and head are compared too; else the events as the service serves them.

    Says that nothing inside was altered, removed, added or reordered. Without signed checkpoints it cannot say that
    nothing is missing at the end.
    """
    if archive is not None:
        held = _say(str(archive), _checked_archive(archive))
    else:
        named = context.get_parameter_source("address") is ParameterSource.COMMANDLINE
        url = _url_in(folder) if folder else "" if named else os.environ.get(_URL_VARIABLE, "")
        found = _checked_rows(hospitals, url) if url else _checked_service(hospitals, address)
        held = not [hospital for hospital, each in found if not _say(hospital, each)]
    if not held:
        raise SystemExit(1)


def _url_in(folder: Path) -> str:
    """Where PostgreSQL of a running `ledger up` answers."""
    try:
        port = json.loads((folder / "postgres" / "ports.json").read_text())["postgres"]
        return ServiceFolder.look(folder).url("ledger_append", port)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"{folder} is no folder of `ledger up`") from error


def _checked_rows(hospitals: tuple[str, ...], url: str) -> list[tuple[str, Fault | Summary]]:
    click.echo("Compared: the rows of PostgreSQL; events, the columns beside them, stream heads and head.")

    async def check() -> list[tuple[str, Fault | Summary]]:
        return [(each, await verify_stored(url, each)) for each in hospitals or await registered_hospitals(url)]

    try:
        return asyncio.run(check())
    except UnknownHospital as error:
        raise click.ClickException(f"{error.hospital}: {UnknownHospital.__doc__}") from error
    except StoreUnavailable as error:
        raise click.ClickException("PostgreSQL cannot be reached") from error


def _checked_service(hospitals: tuple[str, ...], address: str) -> list[tuple[str, Fault | Summary]]:
    click.echo(f"Compared: the events as {address} serves them; not the columns that PostgreSQL keeps beside them.")
    with shown_errors():
        return asyncio.run(_verify_service(hospitals, address))


async def verify_hospital(hospital: str, channel: grpc.aio.Channel) -> Fault | Summary:
    """The first fault of a hospital's ledger as the service serves it, or what was checked."""
    walk = LedgerWalk()
    request = ReadHospitalRequest(hospital=hospital, batch_size=_BATCH_EVENTS)
    async for batch in StreamServiceStub(channel).ReadHospital(request):
        for event in batch.events:
            if fault := walk.take(Row(event.position, event.envelope, event.body)):
                return fault
    return walk.summary()


async def _verify_service(hospitals: tuple[str, ...], address: str) -> list[tuple[str, Fault | Summary]]:
    async with grpc.aio.insecure_channel(address, options=_CHANNEL_OPTIONS) as channel:
        if not hospitals:
            answer = await HospitalServiceStub(channel).ListHospitals(ListHospitalsRequest(page_size=1000))
            hospitals = tuple(each.id for each in answer.hospitals if each.state != "adding")
        return [(each, await verify_hospital(each, channel)) for each in hospitals]


def _checked_archive(archive: Path) -> Fault | Summary:
    try:
        return verify_archive(archive)
    except (ArchiveFileChanged, BadManifest) as error:
        raise click.ClickException(str(error)) from error


def _say(what: str, found: Fault | Summary) -> bool:
    """Prints one line; whether it holds."""
    match found:
        case Summary():
            click.echo(
                f"{what}: holds. {found.events:,} events of {found.streams:,} records, positions "
                f"{found.first_position:,} to {found.last_position:,}, origin {found.origin or 'none yet'}, "
                f"digest {found.digest.hex() or 'none'}"
            )
            return True
        case Fault():
            record = UUID(bytes=found.stream_id) if found.stream_id else "unknown"
            click.echo(
                f"{what}: FAULT {found.kind.name} at position {found.position}, record {record}, "
                f"version {found.version}: {found.kind.value}"
            )
            return False
