"""`ledger copy`: prints a certified copy that was issued."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import click
import grpc.aio

from ledger.api.v1.records_pb2 import GetPatientRequest, GetRecordRequest, IssuedCopy, Record
from ledger.api.v1.records_pb2_grpc import PatientServiceStub, RecordServiceStub
from ledger.api.v1.rulebook_pb2 import GetRulePackRequest
from ledger.api.v1.rulebook_pb2_grpc import RulebookServiceStub
from ledger.cli.errors_shown import shown_errors
from ledger.cli.printed_copy.copied_record import (
    CopiedRecord,
    CopyFace,
    CopyNotPrinted,
    copied_record,
    issued_copy,
    patient_shown,
)
from ledger.cli.printed_copy.copy_fonts import NAMED
from ledger.cli.printed_copy.html_page import html_copy
from ledger.cli.printed_copy.pdf_pages import pdf_copy
from ledger.cli.readiness import all_hospitals
from ledger.cli.service_address import address_option

_FORMATS = (".pdf", ".html")


@click.command()
@click.argument("hospital")
@click.argument("record", type=click.UUID)
@click.argument("copy", type=click.UUID)
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
    hospital: str, record: UUID, copy: UUID, out: Path, font: Path | None, hospital_name: str, address: str
) -> None:
    """Print the COPY that was issued of RECORD.

    Each page has the names of hospital and patient, number, version, head hash and certification mark.
    """
    kind = out.suffix.lower()
    if kind not in _FORMATS or (font is not None and kind != ".pdf"):
        raise click.UsageError(f"--out names a file that ends with {' or '.join(_FORMATS)}; --font is for PDF")
    try:
        with shown_errors():
            copied = asyncio.run(_read(hospital, record, copy, address, hospital_name))
        data = pdf_copy(copied, font) if kind == ".pdf" else html_copy(copied)
        out.write_bytes(data)
    except (CopyNotPrinted, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{len(copied.entries)} entries of version {copied.version} in {out}")
    if NAMED.encode() in data:
        click.echo("Its Chinese shows only where the reader has a Chinese font; --font embeds one.", err=True)


async def _read(hospital: str, record: UUID, copy: UUID, address: str, hospital_name: str) -> CopiedRecord:
    async with grpc.aio.insecure_channel(address) as channel:
        return await read_copy(channel, hospital, record, copy, hospital_name)


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
    face = CopyFace(
        hospital_name or await _called(channel, hospital),
        await _patient(channel, hospital, then, issued),
        await _zone(channel, hospital, then),
    )
    return copied_record(issued, then, now, face)


async def _called(channel: grpc.aio.Channel, hospital: str) -> str:
    """As people call it; its id, where nobody has said how."""
    named = {each.id: each.display_name for each in await all_hospitals(channel)}
    return named.get(hospital) or hospital


async def _patient(channel: grpc.aio.Channel, hospital: str, then: Record, issued: IssuedCopy) -> str:
    """As known when the copy was issued, so that whoever prints it later prints the same."""
    asked = GetPatientRequest(hospital=hospital, patient_id=then.patient_id, time=issued.recorded_at)
    return patient_shown((await PatientServiceStub(channel).GetPatient(asked)).details)


async def _zone(channel: grpc.aio.Channel, hospital: str, then: Record) -> ZoneInfo:
    """That of the record's own rules."""
    asked = GetRulePackRequest(hospital=hospital, pack_id=then.rule_pack, version=then.rule_pack_version)
    return ZoneInfo((await RulebookServiceStub(channel).GetRulePack(asked)).time_zone or "UTC")
