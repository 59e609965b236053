"""`ledger replay`: the history of one record as a table, checked while it is read."""

from __future__ import annotations

import asyncio
from uuid import UUID

import click
import grpc.aio
from rich.console import Console
from rich.table import Table

from consumers.archive_office.archive_line import recorded_at
from ledger.api.v1.stream_pb2 import ReadRecordRequest, StoredEvent
from ledger.api.v1.stream_pb2_grpc import StreamServiceStub
from ledger.cli.errors_shown import shown_errors
from ledger.cli.service_address import address_option
from ledger.trust.chain import ChainFault, ChainWalk, Link
from ledger.trust.envelope import decode
from ledger.trust.iso21089 import UnknownEventType, iso_code
from ledger.trust.leaf import leaf_hash

_HASH_DIGITS = 12


@click.command()
@click.argument("hospital")
@click.argument("record", type=click.UUID)
@address_option
def replay(hospital: str, record: UUID, address: str) -> None:
    """Show every event of RECORD, from its first, and whether its chain holds."""
    with shown_errors():
        events = asyncio.run(read_history(hospital, record, address))
    console = Console()
    fault = print_history(record, events, console)
    if fault is not None:
        console.print(
            f"[bold red]The chain breaks at version {fault.version}, position {fault.position}:[/] {fault.kind.value}"
        )
        raise SystemExit(1)
    console.print(f"{len(events):,} events; the chain holds from version 1 to {len(events)}.")


async def read_history(hospital: str, record: UUID, address: str) -> list[StoredEvent]:
    """Every event of a record or other stream, as stored."""
    request = ReadRecordRequest(hospital=hospital, record_id=str(record))
    async with grpc.aio.insecure_channel(address) as channel:
        return [event async for batch in StreamServiceStub(channel).ReadRecord(request) for event in batch.events]


def print_history(
    record: UUID, events: list[StoredEvent], console: Console, last: int | None = None
) -> ChainFault | None:
    """Prints the events up to the first fault of the chain, which is given back; `last` shows only that many rows.

    The chain is walked from the first event whatever is shown.
    """
    walk = ChainWalk(record.bytes)
    fault = None
    sound: list[StoredEvent] = []
    for event in events:
        fault = walk.take(Link(event.envelope, event.body, event.position))
        if fault is not None:
            break
        sound.append(event)
    shown = sound if last is None else sound[-last:]
    title = f"Record {record}" + (f": last {len(shown)} of {len(sound)}" if len(shown) < len(sound) else "")
    table = Table("version", "position", "event", "ISO 21089", "recorded at", "actor", "leaf", title=title)
    for event in shown:
        table.add_row(*_row(event))
    console.print(table)
    return fault


def _row(event: StoredEvent) -> tuple[str, ...]:
    envelope = decode(event.envelope)
    return (
        str(envelope.stream_version),
        str(event.position),
        envelope.type.removeprefix("ledger.v1."),
        _iso_code(envelope.type),
        f"{recorded_at(envelope):%Y-%m-%d %H:%M:%S.%f}",
        str(UUID(bytes=envelope.actor)) if envelope.actor else "",
        leaf_hash(event.envelope).hex()[:_HASH_DIGITS],
    )


def _iso_code(event_type: str) -> str:
    try:
        return iso_code(event_type)
    except UnknownEventType:
        return "?"
