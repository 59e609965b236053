"""`ledger packs`: adds rule packs and templates to a running service, shows what there is, chooses a pack."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

import click
import grpc
import grpc.aio
from rich.table import Table

from ledger.api.v1 import rulebook_pb2 as messages
from ledger.api.v1.common_pb2 import Actor, CommandContext, CommandReceipt
from ledger.api.v1.rulebook_pb2_grpc import RulebookServiceStub
from ledger.cli.errors_shown import shown_errors, violations_left_out, violations_of
from ledger.cli.person import Person
from ledger.cli.service_address import address_option
from ledger.cli.shown_tables import table_console

if TYPE_CHECKING:
    from ledger.api.v1.rulebook_pb2_grpc import RulebookServiceAsyncStub

_PLAIN_COLUMNS = 160
T = TypeVar("T")
_hospital = click.option("--hospital", required=True, help="Hospital whose rulebook it is.")
_actor = click.option("--actor", type=Person(), required=True, help="Who acts, in a role that the pack in force names.")
_file = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))


@click.group()
def packs() -> None:
    """Rule packs and templates of a hospital, added while the service runs."""


@packs.command()
@_file
@address_option
@_hospital
@_actor
@click.option("--templates", is_flag=True, help="FILE holds templates, not a rule pack.")
def add(file: Path, address: str, hospital: str, actor: Actor, templates: bool) -> None:
    """Add the rule pack in FILE (TOML); nothing goes by it before it is chosen."""
    text, context = _text(file), _context(hospital, actor)

    async def call(stub: RulebookServiceAsyncStub) -> CommandReceipt:
        if templates:
            return (await stub.AddTemplates(messages.AddTemplatesRequest(context=context, text=text))).receipt
        return (await stub.AddRulePack(messages.AddRulePackRequest(context=context, text=text))).receipt

    _tell(_ask(address, call, file.name), "added")


@packs.command()
@address_option
@_hospital
@_actor
@click.option("--reason", required=True, help="Why; kept with the choice.")
@click.argument("pack", metavar="ID@VERSION")
def choose(address: str, hospital: str, actor: Actor, reason: str, pack: str) -> None:
    """Register new records under the pack ID@VERSION from now on."""
    pack_id, version = _name(pack)
    request = messages.ChooseRulePackRequest(
        context=_context(hospital, actor), pack_id=pack_id, version=version, reason=reason
    )

    async def call(stub: RulebookServiceAsyncStub) -> CommandReceipt:
        return (await stub.ChooseRulePack(request)).receipt

    _tell(_ask(address, call), "chosen")


@packs.command(name="list")
@address_option
@_hospital
def list_(address: str, hospital: str) -> None:
    """Show every pack that records may go by."""

    async def call(stub: RulebookServiceAsyncStub) -> messages.ListRulePacksResponse:
        return await stub.ListRulePacks(messages.ListRulePacksRequest(hospital=hospital))

    table = Table("pack", "over", "added", "by", "state", "sha256")
    for each in _ask(address, call).packs:
        table.add_row(*_row(each))
    table_console(_PLAIN_COLUMNS).print(table)


@packs.command()
@address_option
@_hospital
@click.argument("pack", metavar="[ID@VERSION]", default="")
def show(address: str, hospital: str, pack: str) -> None:
    """Show every figure of a pack with its source; of the one in force where none is named."""
    pack_id, version = _name(pack) if pack else ("", 0)
    request = messages.GetRulePackRequest(hospital=hospital, pack_id=pack_id, version=version)

    async def call(stub: RulebookServiceAsyncStub) -> messages.GetRulePackResponse:
        return await stub.GetRulePack(request)

    found = _ask(address, call)
    until = f", days off known until {found.calendar_until}" if found.calendar_until else ", no days off known"
    title = f"{found.pack.id}@{found.pack.version}{until if found.figures else ''}"
    table = Table("of", "figure", "unit", "source", "", title=title)
    for each in found.figures:
        confirmed = "unconfirmed" if each.unconfirmed else "confirmed"
        table.add_row(each.name, str(each.figure), each.unit, each.source, confirmed)
    table_console(_PLAIN_COLUMNS).print(table)


def _ask(address: str, call: Callable[[RulebookServiceAsyncStub], Awaitable[T]], file: str = "") -> T:
    async def ask() -> T:
        async with grpc.aio.insecure_channel(address) as channel:
            return await call(RulebookServiceStub(channel))

    with shown_errors():
        try:
            return asyncio.run(ask())
        except grpc.RpcError as error:
            _show_faults(error, file)
            raise


def _show_faults(error: grpc.RpcError, file: str) -> None:
    """Every fault on a line of its own; one of a text as `FILE: line N: path: what`."""
    for fault in violations_of(error):
        where = file if fault.field == "text" and file else fault.field
        click.echo(f"{where}: {fault.text}", err=True)
    if more := violations_left_out(error):
        click.echo(f"and {more} more", err=True)


def _tell(receipt: CommandReceipt, done: str) -> None:
    click.echo(f"{done}, at position {receipt.position}" if receipt.events else "nothing to add: it is there already")


def _context(hospital: str, actor: Actor) -> CommandContext:
    return CommandContext(hospital=hospital, command_id=str(uuid4()), actor=actor, purpose="RECORDMGT")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file.name}: not UTF-8 from byte {error.start} on") from error


def _name(pack: str) -> tuple[str, int]:
    pack_id, _, version = pack.partition("@")
    if not pack_id or not version.isdecimal() or len(version) > 6:  # as long as a version of the contract can be
        raise click.UsageError("a pack is named ID@VERSION")
    return pack_id, int(version)


def _row(each: messages.RulePackSummary) -> tuple[str, ...]:
    added = each.HasField("added_at")
    when = each.added_at.ToDatetime(tzinfo=UTC).strftime("%Y-%m-%d %H:%M:%SZ") if added else "with the release"
    state = "in force" if each.in_force else "" if each.readable else "unreadable here"
    by = each.added_by.name if added else ""
    return f"{each.id}@{each.version}", " < ".join(each.layers), when, by, state, each.sha256.hex()[:16]
