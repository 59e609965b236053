"""`ledger transfers`: what a hospital sent and received, what was changed since, and what came since a fork."""

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
_PLAIN_COLUMNS = 200
_COLUMNS = (
    "transfer",
    "direction",
    "with",
    "record",
    "version",
    "state",
    "changed since by its sender",
    "since a fork",
)


@click.command()
@click.argument("hospital")
@click.option("--outdated", is_flag=True, help="Only received packages that wait for a later version.")
@click.option("--since-fork", is_flag=True, help="Only received packages that came since their sender's log forked.")
@address_option
def transfers(hospital: str, address: str, *, outdated: bool, since_fork: bool) -> None:
    """List the transfers of HOSPITAL, the newest first."""
    with shown_errors():
        asked = ListTransfersRequest(hospital=hospital, outdated=outdated, since_fork=since_fork)
        rows = asyncio.run(_read(address, asked))
    table = Table(*_COLUMNS)
    for row in rows:
        state = TransferState.Name(row.state).removeprefix("TRANSFER_STATE_")
        place = (row.transfer_id, row.direction, row.counterpart, row.record_id, str(row.record_version))
        table.add_row(*place, state, "yes" if row.outdated else "", "yes" if row.since_fork else "")
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
