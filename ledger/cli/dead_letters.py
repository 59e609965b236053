"""`ledger dead-letters`: what a view could not handle, and what a person decides about it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click
import grpc.aio
from rich.console import Console
from rich.table import Table

from ledger.api.v1 import stream_pb2 as messages
from ledger.api.v1.stream_pb2_grpc import OperationsServiceStub
from ledger.cli.errors_shown import shown_errors
from ledger.cli.service_address import address_option

if TYPE_CHECKING:
    from ledger.api.v1.stream_pb2_grpc import OperationsServiceAsyncStub

T = TypeVar("T")
_hospital = click.option("--hospital", required=True)
_view = click.option("--view", required=True)
_reason = click.option("--reason", required=True, help="Why; kept beside the dead letter.")


@click.group("dead-letters")
def dead_letters() -> None:
    """List dead letters, try one again, or give one up."""


@dead_letters.command("list")
@address_option
@_hospital
@click.option("--view", default="", help="Only this view.")
def list_(address: str, hospital: str, view: str) -> None:
    """List the dead letters of a hospital's views."""
    request = messages.ListDeadLettersRequest(hospital=hospital, view=view, page_size=1000)
    answer = _ask(address, lambda stub: stub.ListDeadLetters(request))
    table = Table("view", "position", "record", "version", "type", "error", "parked behind")
    for each in answer.dead_letters:
        place = (each.view, str(each.position), each.record_id, str(each.record_version))
        table.add_row(*place, each.type, each.error, str(each.parked))
    Console().print(table)


@dead_letters.command()
@address_option
@_hospital
@_view
@_reason
@click.argument("position", type=int)
def retry(address: str, hospital: str, view: str, reason: str, position: int) -> None:
    """Handle a dead letter again, and what is parked behind it."""
    request = messages.RetryDeadLetterRequest(hospital=hospital, view=view, position=position, reason=reason)
    answer = _ask(address, lambda stub: stub.RetryDeadLetter(request))
    click.echo(f"{'handled' if answer.handled else 'failed again'}; {answer.released} events released behind it")
    if not answer.handled:
        raise SystemExit(1)


@dead_letters.command()
@address_option
@_hospital
@_view
@_reason
@click.argument("position", type=int)
def skip(address: str, hospital: str, view: str, reason: str, position: int) -> None:
    """Give a dead letter up and go on with what is parked behind it."""
    request = messages.SkipDeadLetterRequest(hospital=hospital, view=view, position=position, reason=reason)
    answer = _ask(address, lambda stub: stub.SkipDeadLetter(request))
    click.echo(f"skipped; {answer.released} events released behind it")


def _ask(address: str, call: Callable[[OperationsServiceAsyncStub], Awaitable[T]]) -> T:
    async def ask() -> T:
        async with grpc.aio.insecure_channel(address) as channel:
            return await call(OperationsServiceStub(channel))

    with shown_errors():
        return asyncio.run(ask())
