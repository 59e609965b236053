"""`ledger map`: builds each hospital's record map from the log, and has the ledger publish it."""

from __future__ import annotations

import asyncio
import logging
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
from ledger.api.v1.stream_pb2 import ListHospitalsRequest
from ledger.api.v1.stream_pb2_grpc import HospitalServiceStub
from ledger.blobs.contract import BlobError, Blobs
from ledger.cli.errors_shown import describe
from ledger.cli.log_store import log_blobs
from ledger.cli.running import Ready, run_until_stopped, settings_for
from ledger.cli.service_address import address_option
from ledger.log.log_files import LogDamaged, LogFiles, log_folder
from ledger.log.record_maps import PublishedAt, RecordMaps
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.envelope import decode
from ledger.trust.format_fault import FormatFault
from ledger.trust.map_tree import MapTree
from ledger.trust.record_map import MAP_PUBLISHED, MAP_VERSION
from ledger.trust.tile import TILE_WIDTH, BundleId

PROGRAM = "record-maps"
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

    Reads the log's files as LEDGER_BLOBS or LEDGER_DATA_DIR says. Run it once for each store of logs; a second one
    does no harm.
    """
    blobs = log_blobs(settings_for())

    async def work(stop: asyncio.Event, ready: Ready) -> None:
        async with grpc.aio.insecure_channel(address) as channel:
            while not stop.is_set():
                mapped = await _round(channel, blobs, hospitals)
                ready({})
                if once:
                    if not mapped:
                        raise click.ClickException("not every map could be published")
                    return
                await _until(stop, every)

    run_until_stopped(work, ready_file)


async def _round(channel: grpc.aio.Channel, blobs: Blobs, hospitals: tuple[str, ...]) -> bool:
    """One map for each hospital that has something new; a hospital that fails does not hold up the others."""
    whole = True
    for hospital in hospitals or await _all(channel):
        try:
            made = await publish_map(channel, blobs, hospital)
        except grpc.aio.AioRpcError as error:
            _log.warning("no map of %s: %s", hospital, describe(error))
            whole = False
        except (BlobError, LogDamaged, FormatFault, ServiceUnavailable) as error:
            _log.error("no map of %s: %s", hospital, error)
            whole = False
        else:
            click.echo(f"{hospital}: {'nothing new' if made is None else f'map of {made.size:,} events published'}")
    return whole


async def publish_map(channel: grpc.aio.Channel, blobs: Blobs, hospital: str) -> PublishedAt | None:
    """Builds and publishes the map at the published checkpoint; None where nothing is new since the last one.

    A crash in between does no harm: files without their event are no map, and the same event is asked for once.
    """
    folder = await _folder_of(channel, hospital)
    files, maps = LogFiles(blobs, folder), RecordMaps(blobs, folder)
    note = await asyncio.to_thread(files.published)
    if note is None:
        return None
    checkpoint = parse_checkpoint(note.text)
    last = max((each.size for each in await asyncio.to_thread(maps.published)), default=0)
    if not await asyncio.to_thread(_news, files, last, checkpoint.size):
        return None
    tree = await asyncio.to_thread(maps.build, checkpoint.size)
    await asyncio.to_thread(maps.keep, checkpoint.size, tree)
    actor = await program_actor(PatientServiceStub(channel), hospital, PROGRAM, Patience())
    position = await _published_at(channel, _request(hospital, checkpoint.origin, checkpoint.size, tree, actor))
    made = PublishedAt(checkpoint.size, position)
    await asyncio.to_thread(maps.note_published, made)
    return made


async def _folder_of(channel: grpc.aio.Channel, hospital: str) -> str:
    """Where the files of the hospital's present log lie."""
    answer = await HospitalServiceStub(channel).ListHospitals(ListHospitalsRequest(page_size=1000))
    origin = next((each.origin for each in answer.hospitals if each.id == hospital), "")
    return log_folder(hospital, origin)


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


def _news(files: LogFiles, last: int, size: int) -> bool:
    """Whether anything but published maps came after the last map."""
    for index in range(last // TILE_WIDTH, -(-size // TILE_WIDTH)):
        first = index * TILE_WIDTH
        entries = files.entries(BundleId(index, min(TILE_WIDTH, size - first)))
        if any(decode(each).type != MAP_PUBLISHED for each in entries[max(last - first, 0) :]):
            return True
    return False


async def _all(channel: grpc.aio.Channel) -> list[str]:
    answer = await HospitalServiceStub(channel).ListHospitals(ListHospitalsRequest(page_size=1000))
    return [each.id for each in answer.hospitals if each.state == "active"]


async def _until(stop: asyncio.Event, seconds: int) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
