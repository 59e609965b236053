"""`ledger purge`: what is left to be done after records were destroyed, and who has still to delete."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
import grpc.aio
import psycopg
from rich.table import Table

from ledger.api.v1 import purges_pb2 as messages
from ledger.api.v1.common_pb2 import Actor
from ledger.api.v1.purges_pb2_grpc import PurgeServiceStub
from ledger.cli.encryption_keys import changing, key_settings, rewrapped, shown, with_rows
from ledger.cli.errors_shown import shown_errors
from ledger.cli.person import Person
from ledger.cli.service_address import address_option, beside_option
from ledger.cli.service_folder import ServiceFolder
from ledger.cli.shown_tables import table_console
from ledger.clock import clock_of
from ledger.config import Settings
from ledger.keys.key_file import KeyFile
from ledger.views.statements import templates

if TYPE_CHECKING:
    from ledger.api.v1.purges_pb2_grpc import PurgeServiceAsyncStub

T = TypeVar("T")
_PAGE_ROWS = 1000
_PLAIN_COLUMNS = 200
_KINDS = {"archive": "HOLDER_KIND_ARCHIVE", "copy": "HOLDER_KIND_COPY", "package": "HOLDER_KIND_PACKAGE"}
_hospital = click.option("--hospital", required=True)


@click.group()
def purge() -> None:
    """The purge register, and what makes a destruction complete."""


@purge.command("list")
@address_option
@_hospital
@click.option("--open", "only_open", is_flag=True, help="Only records with a holder who has not acknowledged.")
def list_(address: str, hospital: str, *, only_open: bool) -> None:
    """List destroyed records: unreadable since, complete since, and who else holds what they said."""
    table = Table("record", "position", "unreadable", "complete", "holders")
    for each in _ask(address, lambda stub: _all(stub, hospital, only_open=only_open)):
        complete = f"{each.complete_at.ToDatetime():%Y-%m-%d %H:%M}" if each.HasField("complete_at") else "not yet"
        holders = "; ".join(map(_holder, each.holders)) + ("" if each.holders_known else "; perhaps more")
        unreadable = f"{each.unreadable_at.ToDatetime():%Y-%m-%d %H:%M}"
        table.add_row(each.record_id, str(each.position), unreadable, complete, holders)
    table_console(_PLAIN_COLUMNS).print(table)


@purge.command()
@address_option
@_hospital
@click.option("--record", required=True)
@click.option("--kind", required=True, type=click.Choice(list(_KINDS)))
@click.option("--item", required=True, help="As `ledger purge list` shows it.")
@click.option("--actor", required=True, type=Person(), help="Who says that it is deleted.")
def acknowledge(address: str, hospital: str, record: str, kind: str, item: str, actor: Actor) -> None:
    """Note that a holder has deleted what it held."""
    request = messages.AcknowledgePurgeRequest(
        hospital=hospital, record_id=record, kind=messages.HolderKind.Value(_KINDS[kind]), item=item, actor=actor
    )
    _ask(address, lambda stub: stub.AcknowledgePurge(request))


@purge.command()
@beside_option
@click.option("--superuser-url", envvar="LEDGER_POSTGRES_SUPERUSER_URL", help="Who may rewrite and checkpoint.")
@click.option(
    "--backup-days", type=click.IntRange(min=0), help="How long key backups are kept, from now on; 35 at first."
)
def run(beside: Path | None, superuser_url: str | None, backup_days: int | None) -> None:
    """Rewrite the tables that held plaintext, rotate and rewrap the keys, destroy the generations that are through.

    Readers of a view wait while its table is rewritten. May be cut short and run again. Run it after each batch of
    destructions, and again when the backups of then are gone.
    """
    settings = key_settings(beside)
    url = superuser_url or (ServiceFolder.look(beside).superuser_url() if beside else None)
    if url is None:
        raise click.UsageError("--superuser-url or --dir is required")
    with shown():
        for line in _keys_through(settings, backup_days):
            click.echo(line)
        try:
            click.echo(f"{_rewrite(url)} tables rewritten, log of changes switched")
        except psycopg.Error as error:
            raise click.ClickException(f"PostgreSQL: {type(error).__name__}; run it again") from error


def _keys_through(settings: Settings, backup_days: int | None) -> list[str]:
    """A new generation, every key under it, and those destroyed of which no backup is left."""
    clock = clock_of(settings.clock_file)
    said: list[str] = []
    with changing(settings) as (content, write):
        grown = content if backup_days is None else replace(content, backup_days=backup_days)
        # Else the last rotation is still on its way to completion.
        if not any(each.key for each in content.generations[:-1]):
            grown = grown.rotated(clock(), os.urandom)
            said.append(f"generation {grown.newest.number} is the newest; copy the key file to its backup now")
        if grown != content:
            write(grown)
    done = rewrapped(settings, grown.newest.number)
    if done.failed:
        raise click.ClickException(f"{len(done.failed)} keys do not unwrap: see `ledger keys rewrap`")
    said.append(f"{done.keys} keys wrapped by generation {grown.newest.number}")
    with changing(settings) as (content, write):
        live = with_rows(settings, lambda rows: rows.live_by_generation())
        now = clock()
        for number in _through(content, live, now):
            content = content.without(number, live, now)
            write(content)
            said.append(f"generation {number} is destroyed; its copies in backups have to be gone too")
    return said


def _through(content: KeyFile, live: dict[int, int], now: datetime) -> list[int]:
    """Generations that wrap nothing, nor did in any backup that is kept."""
    waiting = [(each.number, content.may_go_at(each.number)) for each in content.generations[:-1] if each.key]
    return [number for number, at in waiting if at is not None and at <= now and not live.get(number)]


def _rewrite(url: str) -> int:
    sql = templates("ledger.cli", "purge")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql["bound_waiting"].encode())
        tables: list[str] = [row[0] for row in connection.execute(sql["tables"].encode())]
        for table in tables:
            connection.execute(f"VACUUM (FULL, ANALYZE) {table}".encode())
        connection.execute(sql["rewrite_statistics"].encode())
        # The second one removes the files that the first one still needed.
        for name in ("next_wal_file", "checkpoint", "next_wal_file", "checkpoint"):
            connection.execute(sql[name].encode())
    return len(tables)


async def _all(stub: PurgeServiceAsyncStub, hospital: str, *, only_open: bool) -> list[messages.Purge]:
    request = messages.ListPurgesRequest(hospital=hospital, only_open=only_open, page_size=_PAGE_ROWS)
    found: list[messages.Purge] = []
    while True:
        answer = await stub.ListPurges(request)
        found += answer.purges
        if not answer.next_page_token:
            return found
        request.page_token = answer.next_page_token


def _holder(holder: messages.PurgeHolder) -> str:
    kind = messages.HolderKind.Name(holder.kind).removeprefix("HOLDER_KIND_").lower()
    state = "acknowledged" if holder.HasField("acknowledged_at") else "OPEN"
    return f"{kind} {holder.item} ({holder.name or 'forgotten'}): {state}"


def _ask(address: str, call: Callable[[PurgeServiceAsyncStub], Awaitable[T]]) -> T:
    async def run() -> T:
        async with grpc.aio.insecure_channel(address) as channel:
            return await call(PurgeServiceStub(channel))

    with shown_errors():
        return asyncio.run(run())
