"""`ledger status`: what the service says of itself, as tables."""

from __future__ import annotations

import asyncio

import click
import grpc.aio
from rich.console import Console
from rich.table import Table

from ledger.api.v1.stream_pb2 import GetStatusRequest, GetStatusResponse, HospitalStatus, LogStatus
from ledger.api.v1.stream_pb2_grpc import OperationsServiceStub
from ledger.cli.errors_shown import shown_errors
from ledger.cli.service_address import address_option
from ledger.cli.shown_tables import table_console

_PLAIN_COLUMNS = 200
"""Wide enough for the name of a lease's holder."""


@click.command()
@address_option
@click.option("--hospital", default="", help="Only this hospital.")
def status(address: str, hospital: str) -> None:
    """Show heads, published positions, views, leases, stopped records and dead letters."""
    with shown_errors():
        answer = asyncio.run(_status(address, hospital))
    print_status(answer, table_console(_PLAIN_COLUMNS))


async def _status(address: str, hospital: str) -> GetStatusResponse:
    async with grpc.aio.insecure_channel(address) as channel:
        return await OperationsServiceStub(channel).GetStatus(GetStatusRequest(hospital=hospital))


def print_status(answer: GetStatusResponse, console: Console) -> None:
    """Prints one table for all hospitals, one for their views, and one for other readers where there are any."""
    hospitals = Table(
        "hospital",
        "state",
        "head",
        "published",
        "signed",
        "checkpoint",
        "log",
        "queue",
        "group size",
        "leases",
        "calendar until",
        title="Ledgers",
    )
    views = Table("hospital", "view", "state", "handled", "lag", "stopped records", "dead letters", title="Views")
    for each in answer.hospitals:
        hospitals.add_row(*_hospital_row(each))
        for view in each.views:
            figures = (view.events, view.lag, view.stopped_records, view.dead_letters)
            views.add_row(each.hospital, view.view, view.state, *map(str, figures))
    console.print(hospitals)
    console.print(views)
    if any(each.readers for each in answer.hospitals):
        console.print(_readers(answer))


def _readers(answer: GetStatusResponse) -> Table:
    readers = Table("hospital", "reader", "state", "dead letters", "waiting", "said at", title="Other readers")
    for each in answer.hospitals:
        for reader in each.readers:
            at = reader.reported_at.ToDatetime().isoformat(timespec="seconds") + "Z"
            readers.add_row(
                each.hospital, reader.reader, reader.state, str(reader.dead_letters), str(reader.waiting), at
            )
    return readers


def _hospital_row(status_: HospitalStatus) -> tuple[str, ...]:
    if status_.state != "active":
        return status_.hospital, status_.state, *[""] * 9
    leases = "\n".join(f"{lease.role}: {lease.holder} ({lease.epoch})" for lease in status_.leases)
    return (
        status_.hospital,
        status_.state,
        str(status_.head),
        str(status_.published_position),
        str(status_.log.integrated_position),
        str(status_.log.checkpoint_size),
        _log_state(status_.log),
        str(status_.queue_length),
        f"{status_.group_size:.1f}",
        leases,
        status_.calendar_until,
    )


def _log_state(log: LogStatus) -> str:
    behind = f", {log.lag} behind for {log.lag_seconds:.0f} s" if log.lag else ""
    return f"{log.state}{behind}" + (f"\n{log.reason}" if log.reason else "")


__all__ = ["print_status", "status"]
