"""`ledger transfers`: what a hospital sent and received, and which packages their senders have changed since."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import click
import grpc.aio
from rich.table import Table

from ledger.api.v1.common_pb2 import TransferState
from ledger.api.v1.transfers_pb2 import ListTransfersRequest, TransferRow
from ledger.api.v1.transfers_pb2_grpc import TransferServiceStub
from ledger.cli.errors_shown import shown_errors
from ledger.cli.service_address import address_option
from ledger.cli.shown_tables import table_console

if TYPE_CHECKING:
    from ledger.api.v1.transfers_pb2_grpc import TransferServiceAsyncStub

_PAGE_ROWS = 1000
_PLAIN_COLUMNS = 180
_COLUMNS = ("transfer", "direction", "with", "record", "version", "state", "changed since by its sender")


@click.command()
@click.argument("hospital")
@click.option("--outdated", is_flag=True, help="Only received packages that wait for a later version.")
@address_option
def transfers(hospital: str, address: str, *, outdated: bool) -> None:
    """List the transfers of HOSPITAL, the newest first."""
    with shown_errors():
        rows = asyncio.run(_read(address, ListTransfersRequest(hospital=hospital, outdated=outdated)))
    table = Table(*_COLUMNS)
    for row in rows:
        state = TransferState.Name(row.state).removeprefix("TRANSFER_STATE_")
        place = (row.transfer_id, row.direction, row.counterpart, row.record_id, str(row.record_version))
        table.add_row(*place, state, "yes" if row.outdated else "")
    table_console(_PLAIN_COLUMNS).print(table)


async def _read(address: str, request: ListTransfersRequest) -> list[TransferRow]:
    async with grpc.aio.insecure_channel(address) as channel:
        return [row async for row in every_transfer(TransferServiceStub(channel), request)]


async def every_transfer(
    stub: TransferServiceAsyncStub, request: ListTransfersRequest
) -> AsyncGenerator[TransferRow, None]:
    """The rows of every page."""
    request.page_size = _PAGE_ROWS
    while True:
        answer = await stub.ListTransfers(request)
        for row in answer.transfers:
            yield row
        if not answer.next_page_token:
            return
        request.page_token = answer.next_page_token
