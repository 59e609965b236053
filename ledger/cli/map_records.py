"""`ledger map`: builds each hospital's record map from the log, and has the ledger publish it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from uuid import UUID, uuid5

import click
import grpc.aio

from consumers.patience import Patience, ServiceUnavailable
from consumers.program_actor import program_actor
from ledger.api.v1.common_pb2 import Actor, CommandContext
from ledger.api.v1.proofs_pb2 import PublishMapRequest
from ledger.api.v1.proofs_pb2_grpc import ProofServiceStub
from ledger.api.v1.records_pb2_grpc import PatientServiceStub
from ledger.blobs.contract import BlobError
from ledger.cli.errors_shown import describe
from ledger.cli.log_store import own_logs
from ledger.cli.running import Ready, run_until_stopped, settings_for
from ledger.cli.served_hospitals import all_hospitals
from ledger.cli.service_address import address_option
from ledger.log.log_files import LogDamaged, LogFiles, log_folder
from ledger.log.own_heads import OwnLogs
from ledger.log.proven_entries import proven_entries
from ledger.log.record_maps import PublishedAt, RecordMaps
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.envelope import decode
from ledger.trust.format_fault import FormatFault
from ledger.trust.map_tree import MapTree
from ledger.trust.record_map import MAP_PUBLISHED, MAP_VERSION
from ledger.trust.tile import TILE_WIDTH

PROGRAM = "record-maps"
FIRST_SECONDS = 600
RETRY_SECONDS = 60
"""After a round in which something failed."""
_COMMANDS = UUID("6f7f1d5e-8f1c-4b60-9d5c-0a3c5b3f2a77")
_log = logging.getLogger(__name__)


@click.command("map")
@click.argument("hospitals", nargs=-1)
@address_option
@click.option(
    "--every", type=click.IntRange(1, 86_400), default=3600, show_default=True, help="Seconds between two maps."
)
@click.option("--once", is_flag=True, help="Publish what is due and end.")
@click.option("--ready-file", type=click.Path(path_type=Path), help="Appears once the first round is done.")
def map_(hospitals: tuple[str, ...], address: str, every: int, once: bool, ready_file: Path | None) -> None:
    """Publish record maps of HOSPITALS (none named: every one): by them a record's proof pack shows that it is whole.

    Reads the log's files as LEDGER_BLOBS or LEDGER_DATA_DIR says, and believes what the log's key has signed. Run it
    once for each store of logs; a second one does no harm.
    """
    logs = own_logs(settings_for())

    async def work(stop: asyncio.Event, ready: Ready) -> None:
        while not stop.is_set():
            mapped = await _round(address, logs, hospitals)
            ready({})
            if once:
                if not mapped:
                    raise click.ClickException("not every map could be published")
                return
            await _until(stop, every if mapped else min(every, RETRY_SECONDS))

    run_until_stopped(work, ready_file)


async def map_all(address: str, logs: OwnLogs, every: int, first: int = FIRST_SECONDS) -> None:
    """Publishes maps of every hospital until it is cancelled, for a program that does something else beside it.

    The first round waits: what starts all at once has better things to do.
    """
    seconds = min(every, first)
    while True:
        await asyncio.sleep(seconds)
        seconds = every if await _round(address, logs, ()) else min(every, RETRY_SECONDS)


async def _round(address: str, logs: OwnLogs, hospitals: tuple[str, ...]) -> bool:
    """One map for each hospital that has something new; whether all went well. What fails is said."""
    async with grpc.aio.insecure_channel(address) as channel:
        try:
            origins = await _origins(channel)
        except grpc.aio.AioRpcError as error:
            _log.warning("no record maps: %s", describe(error))
            return False
        return await _map_each(channel, logs, hospitals or tuple(origins), origins)


async def _map_each(
    channel: grpc.aio.Channel, logs: OwnLogs, hospitals: tuple[str, ...], origins: Mapping[str, str]
) -> bool:
    """A hospital that fails does not hold up the others."""
    whole = True
    for hospital in hospitals:
        try:
            made = await publish_map(channel, logs, hospital, origins.get(hospital, ""))
        except grpc.aio.AioRpcError as error:
            _log.warning("no map of %s: %s", hospital, describe(error))
            whole = False
        except (BlobError, LogDamaged, FormatFault, ServiceUnavailable) as error:
            _log.error("no map of %s: %s", hospital, error)
            whole = False
        else:
            click.echo(f"{hospital}: {'nothing new' if made is None else f'map of {made.size:,} events published'}")
    return whole


async def publish_map(channel: grpc.aio.Channel, logs: OwnLogs, hospital: str, origin: str) -> PublishedAt | None:
    """Builds and publishes the map at the published checkpoint; None where nothing is new since the last one.

    A crash in between does no harm: files without their event are no map, and the same event is asked for once.
    """
    files, maps = logs.files(hospital, origin), RecordMaps(logs.blobs, log_folder(hospital, origin))
    published = await asyncio.to_thread(logs.published, hospital, origin)
    if published is None:
        return None
    head = published.checkpoint
    last = max((each.size for each in await asyncio.to_thread(maps.published)), default=0)
    if not await asyncio.to_thread(_news, files, last, head):
        return None
    actor = await program_actor(PatientServiceStub(channel), hospital, PROGRAM, Patience())

    async def publish(size: int, tree: MapTree) -> int:
        return await _published_at(channel, _request(hospital, origin, size, tree, actor))

    begin, base = await _base(maps, head.size, publish)
    tree = await asyncio.to_thread(maps.build, head, begin, base)
    await asyncio.to_thread(maps.keep, head.size, tree)
    position = await publish(head.size, tree)
    made = PublishedAt(head.size, position)
    await asyncio.to_thread(maps.note_published, made)
    return made


async def _base(maps: RecordMaps, size: int, publish: Callable[[int, MapTree], Awaitable[int]]) -> tuple[int, MapTree]:
    """The kept map to grow from, and its size. Where the ledger did not publish that very one, all is built anew.

    Publishing it again asks just that: the same map has the same command id and gets its first answer, any other is
    refused as not later than the last.
    """
    try:
        kept = await asyncio.to_thread(maps.newest, size)
        if kept is None:
            return 0, MapTree()
        made, tree = kept
        if await publish(made.size, tree) == made.position:
            return made.size, tree
    except LogDamaged as error:
        _log.error("a kept map cannot be read; the next is built from all entries", extra={"reason": str(error)})
        return 0, MapTree()
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
            raise
    _log.error("a kept map is not the one that was published; the next is built from all entries")
    return 0, MapTree()


def _request(hospital: str, origin: str, size: int, tree: MapTree, actor: Actor) -> PublishMapRequest:
    command_id = uuid5(_COMMANDS, f"{origin} {size} {tree.root().hex()}")
    return PublishMapRequest(
        context=CommandContext(hospital=hospital, command_id=str(command_id), actor=actor, purpose="RECORDMGT"),
        tree_size=size,
        rows=tree.rows,
        root=tree.root(),
        map_version=MAP_VERSION,
    )


async def _published_at(channel: grpc.aio.Channel, request: PublishMapRequest) -> int:
    stub = ProofServiceStub(channel)
    answer = await Patience().call("PublishMap", lambda seconds: stub.PublishMap(request, timeout=seconds))
    return answer.receipt.position


def _news(files: LogFiles, last: int, head: Checkpoint) -> bool:
    """Whether anything but published maps came after the last map."""
    for index in range(last // TILE_WIDTH, -(-head.size // TILE_WIDTH)):
        entries = proven_entries(files, index, head)[max(last - index * TILE_WIDTH, 0) :]
        if any(decode(each).type != MAP_PUBLISHED for each in entries):
            return True
    return False


async def _origins(channel: grpc.aio.Channel) -> dict[str, str]:
    """The origins of the hospitals that take commands."""
    return {each.id: each.origin for each in await all_hospitals(channel) if each.state == "active"}


async def _until(stop: asyncio.Event, seconds: int) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
