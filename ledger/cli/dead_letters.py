"""`ledger dead-letters`: what a view could not handle, and what a person decides about it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click
import grpc.aio
from rich.table import Table

from ledger.api.v1 import stream_pb2 as messages
from ledger.api.v1.stream_pb2_grpc import OperationsServiceStub
from ledger.cli.errors_shown import shown_errors
from ledger.cli.service_address import address_option
from ledger.cli.shown_tables import table_console

if TYPE_CHECKING:
    from ledger.api.v1.stream_pb2_grpc import OperationsServiceAsyncStub

T = TypeVar("T")
_POSITION = click.IntRange(min=1, max=2**64 - 1)
_PAGE_ROWS = 1000
_PLAIN_COLUMNS = 180
_DECIDED = ("decision", "reason")
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
@click.option("--all", "decided", is_flag=True, help="Also those on which somebody has decided, with the reason.")
def list_(address: str, hospital: str, view: str, *, decided: bool) -> None:
    """List the dead letters of a hospital's views."""
    table = Table("view", "position", "record", "version", "type", "error", "parked behind", *_DECIDED[: 2 * decided])
    for each in _ask(address, lambda stub: _all(stub, hospital, view, decided=decided)):
        place = (each.view, str(each.position), each.record_id, str(each.record_version))
        table.add_row(*place, each.type, each.error, str(each.parked), *(each.decision, each.reason)[: 2 * decided])
    table_console(_PLAIN_COLUMNS).print(table)


async def _all(
    stub: OperationsServiceAsyncStub, hospital: str, view: str, *, decided: bool
) -> list[messages.DeadLetter]:
    """Every page of them."""
    request = messages.ListDeadLettersRequest(
        hospital=hospital, view=view, page_size=_PAGE_ROWS, include_decided=decided
    )
    found: list[messages.DeadLetter] = []
    while True:
        answer = await stub.ListDeadLetters(request)
        found += answer.dead_letters
        if not answer.next_page_token:
            return found
        request.page_token = answer.next_page_token


@dead_letters.command()
@address_option
@_hospital
@_view
@_reason
@click.argument("position", type=_POSITION)
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
@click.argument("position", type=_POSITION)
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
