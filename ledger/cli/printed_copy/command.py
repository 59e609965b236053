"""`ledger copy`: prints a certified copy that was issued."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import click
import grpc.aio

from ledger.api.v1.records_pb2 import GetRecordRequest
from ledger.api.v1.records_pb2_grpc import RecordServiceStub
from ledger.cli.errors_shown import shown_errors
from ledger.cli.printed_copy.copied_record import CopiedRecord, CopyNotPrinted, copied_record, issued_copy
from ledger.cli.printed_copy.html_page import html_copy
from ledger.cli.printed_copy.pdf_pages import pdf_copy
from ledger.cli.service_address import address_option

_FORMATS: dict[str, Callable[[CopiedRecord], bytes]] = {".pdf": pdf_copy, ".html": html_copy}


@click.command()
@click.argument("hospital")
@click.argument("record", type=click.UUID)
@click.argument("copy", type=click.UUID)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File to write: .pdf or .html."
)
@address_option
def copy(hospital: str, record: UUID, copy: UUID, out: Path, address: str) -> None:
    """Print the COPY that was issued of RECORD, each page with number, version, head hash and certification mark."""
    printed = _FORMATS.get(out.suffix.lower())
    if printed is None:
        raise click.UsageError(f"--out names a file that ends with {' or '.join(_FORMATS)}")
    try:
        with shown_errors():
            copied = asyncio.run(read_copy(hospital, record, copy, address))
        out.write_bytes(printed(copied))
    except (CopyNotPrinted, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{len(copied.entries)} entries of version {copied.version} in {out}")


async def read_copy(hospital: str, record: UUID, copy: UUID, address: str) -> CopiedRecord:
    """What the copy shows, read from the write side. Raises CopyNotPrinted."""
    async with grpc.aio.insecure_channel(address) as channel:
        records = RecordServiceStub(channel)

        request = GetRecordRequest(hospital=hospital, record_id=str(record))
        now = (await records.GetRecord(request)).record
        issued = issued_copy(now, str(copy))
        request.version = issued.record_version
        return copied_record(issued, (await records.GetRecord(request)).record, now)
