"""`ledger copy`: prints a certified copy that was issued, or the list of a seal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import click
import grpc.aio
from google.protobuf.timestamp_pb2 import Timestamp

from ledger.api.v1.records_pb2 import GetPatientRequest, GetRecordRequest, Record
from ledger.api.v1.records_pb2_grpc import PatientServiceStub, RecordServiceStub
from ledger.api.v1.rulebook_pb2 import GetRulePackRequest
from ledger.api.v1.rulebook_pb2_grpc import RulebookServiceStub
from ledger.cli.errors_shown import shown_errors
from ledger.cli.printed_copy.copied_record import (
    CopiedRecord,
    CopyFace,
    CopyNotPrinted,
    PrintedPages,
    copied_record,
    issued_copy,
    patient_shown,
)
from ledger.cli.printed_copy.copy_fonts import NAMED
from ledger.cli.printed_copy.html_page import html_copy
from ledger.cli.printed_copy.pdf_pages import pdf_copy
from ledger.cli.printed_copy.seal_list import SealList, seal_list, standing_seal
from ledger.cli.served_hospitals import all_hospitals
from ledger.cli.service_address import address_option

_FORMATS = (".pdf", ".html")
_Read = Callable[[grpc.aio.Channel, str, UUID, UUID, str], Awaitable[PrintedPages]]


@click.command()
@click.argument("hospital")
@click.argument("record", type=click.UUID)
@click.argument("copy", type=click.UUID, required=False)
@click.option(
    "--seal", type=click.UUID, help="Print the list of this seal, for each of its two sides, instead of a copy."
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File to write: .pdf or .html."
)
@click.option(
    "--font",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="TrueType font with Chinese to embed in a PDF; without one the reader must have one.",
)
@click.option(
    "--hospital-name",
    default="",
    help="Name of the hospital on every page; without one that of the registry, or its id.",
)
@address_option
def copy(
    hospital: str,
    record: UUID,
    copy: UUID | None,
    seal: UUID | None,
    out: Path,
    font: Path | None,
    hospital_name: str,
    address: str,
) -> None:
    """Print the COPY that was issued of RECORD, or the list of a seal that stands on it.

    Each page has the names of hospital and patient, number, version, head hash and certification mark.
    """
    kind = out.suffix.lower()
    if kind not in _FORMATS or (font is not None and kind != ".pdf"):
        raise click.UsageError(f"--out names a file that ends with {' or '.join(_FORMATS)}; --font is for PDF")
    named = [each for each in (copy, seal) if each is not None]
    if len(named) != 1:
        raise click.UsageError("name a COPY, or a seal with --seal")
    read = read_copy if seal is None else read_seal_list
    try:
        with shown_errors():
            pages = asyncio.run(_read(read, hospital, record, named[0], address, hospital_name))
        data = pdf_copy(pages, font) if kind == ".pdf" else html_copy(pages)
        out.write_bytes(data)
    except (CopyNotPrinted, OSError) as error:
        raise click.ClickException(str(error)) from error
    what = "entries" if seal is None else "sealed versions"
    click.echo(f"{len(pages.entries)} {what} in {out}. {pages.page_head[2]}")
    if NAMED.encode() in data:
        click.echo("Its Chinese shows only where the reader has a Chinese font; --font embeds one.", err=True)


async def _read(read: _Read, hospital: str, record: UUID, named: UUID, address: str, called: str) -> PrintedPages:
    async with grpc.aio.insecure_channel(address) as channel:
        return await read(channel, hospital, record, named, called)


async def read_seal_list(
    channel: grpc.aio.Channel, hospital: str, record: UUID, seal: UUID, hospital_name: str = ""
) -> SealList:
    """What a seal that stands lists, as of the version of the record that it reaches. Raises CopyNotPrinted."""
    records = RecordServiceStub(channel)
    request = GetRecordRequest(hospital=hospital, record_id=str(record))
    found = standing_seal((await records.GetRecord(request)).record, str(seal))
    request.version = found.reaches
    then = (await records.GetRecord(request)).record
    return seal_list(found, then, await _face(channel, hospital, then, found.sealed_at, hospital_name))


async def read_copy(
    channel: grpc.aio.Channel, hospital: str, record: UUID, copy: UUID, hospital_name: str = ""
) -> CopiedRecord:
    """What the copy shows, read from the write side. Raises CopyNotPrinted."""
    records = RecordServiceStub(channel)
    request = GetRecordRequest(hospital=hospital, record_id=str(record))
    now = (await records.GetRecord(request)).record
    issued = issued_copy(now, str(copy))
    request.version = issued.record_version
    then = (await records.GetRecord(request)).record
    face = await _face(channel, hospital, then, issued.recorded_at, hospital_name)
    return copied_record(issued, then, now, face)


async def _face(
    channel: grpc.aio.Channel, hospital: str, then: Record, made_at: Timestamp, hospital_name: str
) -> CopyFace:
    return CopyFace(
        hospital_name or await _called(channel, hospital),
        await _patient(channel, hospital, then, made_at),
        await _zone(channel, hospital, then),
    )


async def _called(channel: grpc.aio.Channel, hospital: str) -> str:
    """As people call it; its id, where nobody has said how."""
    named = {each.id: each.display_name for each in await all_hospitals(channel)}
    return named.get(hospital) or hospital


async def _patient(channel: grpc.aio.Channel, hospital: str, then: Record, made_at: Timestamp) -> str:
    """As known when the copy was issued or the seal placed, so that whoever prints it later prints the same."""
    asked = GetPatientRequest(hospital=hospital, patient_id=then.patient_id, time=made_at)
    return patient_shown((await PatientServiceStub(channel).GetPatient(asked)).details)


async def _zone(channel: grpc.aio.Channel, hospital: str, then: Record) -> ZoneInfo:
    """That of the record's own rules."""
    asked = GetRulePackRequest(hospital=hospital, pack_id=then.rule_pack, version=then.rule_pack_version)
    return ZoneInfo((await RulebookServiceStub(channel).GetRulePack(asked)).time_zone or "UTC")
