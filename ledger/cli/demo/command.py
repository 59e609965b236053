"""The demo itself: three hospitals, real input, the stories of two records, and the checks."""

from __future__ import annotations

import asyncio
import logging
import shutil
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import grpc
import grpc.aio
from rich.console import Console

from importers.fhir.faults import UnusableInput
from importers.fhir.importing import SOURCE_SYSTEM, prepare
from importers.fhir.patience import CommandRefused, ServiceLost
from importers.fhir.report import Report
from ledger.api.v1.common_pb2 import Actor
from ledger.api.v1.keys_pb2 import UNSEAL_PURPOSE_INSPECTION
from ledger.api.v1.records_pb2 import RegisterActorRequest
from ledger.cli.bodies import opener_over
from ledger.cli.demo.checks import Checks, Subject, check_ledger
from ledger.cli.demo.client import Client, open_channel
from ledger.cli.demo.clinical_input import SimulatorFailed, clinical_files, described, generator
from ledger.cli.demo.convergence import import_second_system
from ledger.cli.demo.freshness import measure_freshness
from ledger.cli.demo.handover import check_heads, transfer
from ledger.cli.demo.inpatient.story import Recounted, tell_inpatient_story
from ledger.cli.demo.life import amend_close_archive, show_history
from ledger.cli.demo.looking import StoryFailed, choose, show_views
from ledger.cli.demo.proving import prove
from ledger.cli.demo.receipts import ReceiptLog
from ledger.cli.demo.signed_log import NotSigned
from ledger.cli.errors_shown import describe, said
from ledger.cli.import_fhir import print_report, show_import
from ledger.cli.service import PARTITIONS, Service
from ledger.cli.service_options import (
    Asked,
    asked_of,
    choose_stream,
    dir_option,
    own_servers_settings,
    partitions_option,
    stream_option,
)
from ledger.cli.supervision import work_until
from ledger.cli.up import SERVICE_ERRORS
from ledger.config import load
from ledger.embedded.postgres import EmbeddedPostgres
from ledger.embedded.server_folder import ServerFolder
from ledger.stream.contract import StreamError

NORTH, SOUTH, WEST = "north", "south", "west"
_STORY_ERRORS = (StoryFailed, NotSigned, SimulatorFailed, UnusableInput, CommandRefused, ServiceLost, StreamError)
_WIDTH = 140


@click.command()
@dir_option
@click.option("--people", type=click.IntRange(1, 100_000), help="Simulate a catchment of this size instead.")
@stream_option
@partitions_option
def demo(folder: Path | None, people: int | None, stream: str | None, partitions: int | None) -> None:
    """Run the whole path on real input, and check everything that it claims; --dir: LEDGER_DATA_DIR/demo."""
    settings = own_servers_settings()
    asked = asked_of(stream, partitions, settings)
    # Each rebuild is told by the check that asked for it.
    logging.getLogger("projections.rebuild").setLevel(logging.WARNING)
    try:
        failed = _play((folder or settings.data_dir / "demo").resolve(), people, asked)
    except grpc.RpcError as error:
        raise click.ClickException(describe(error)) from error
    except (*SERVICE_ERRORS, *_STORY_ERRORS) as error:
        raise click.ClickException(said(error)) from error
    if failed:
        raise SystemExit(1)


def _play(folder: Path, people: int | None, asked: Asked) -> bool:
    """The whole demo; whether a check failed."""
    console = Console() if Console().is_terminal else Console(width=_WIDTH)
    began = time.monotonic()
    service_folder = folder / "service"
    _remove_last(service_folder)
    console.rule("1  The input")
    files = clinical_files(folder / "input", people)
    console.print(f"{described(files)}; made by {generator(files)}, seed 7; in {files}", highlight=False)
    checks = Checks(console)
    printed = service_folder / "issued-copy.pdf"
    chosen = choose_stream(service_folder, asked.stream)
    stage = _Stage(chosen, asked.partitions or PARTITIONS, files, console, checks, printed)
    # The story of WEST happened long ago: a clock would find everything in it overdue, and its first term over.
    service = Service(service_folder, stage.stream, stage.partitions, asked.listen, clock_of=NORTH)
    told = asyncio.run(_run(service, stage))
    _print_summary(told, checks, folder, time.monotonic() - began, console)
    return bool(checks.failed)


def _remove_last(folder: Path) -> None:
    """The demo begins on an empty ledger each time: what an earlier one made goes. Raises FolderInUse."""
    if not (folder / "service.json").exists():
        return
    owned = ServerFolder(folder)
    owned.acquire()
    try:
        EmbeddedPostgres(folder / "postgres").remove_elsewhere()
        # The lock stays, for whoever waits for it; service.json goes last: without it nobody would clean up here.
        for each in sorted(folder.iterdir(), key=lambda found: found.name == "service.json"):
            if each.is_dir():
                shutil.rmtree(each)
            elif each.name != "lock":
                each.unlink()
    finally:
        owned.release()


@dataclass(frozen=True)
class _Stage:
    """What the demo plays on."""

    stream: str
    partitions: int
    files: Path
    console: Console
    checks: Checks
    printed: Path
    """The copy that the story hands out."""


@dataclass(frozen=True)
class Told:
    """What the closing summary tells."""

    first: Report
    second: Report
    acknowledged: int
    freshness_ms: list[float]
    record_id: str
    stream: str
    recounted: Recounted
    pack: Path
    """The proof pack of the record."""
    log_key: str
    """Verifier key of the log that the pack is from."""


async def _run(service: Service, stage: _Stage) -> Told:
    stage.console.rule("2  The service")
    async with service:
        await service.add_hospitals((NORTH, SOUTH, WEST))
        await service.until_it_answers()
        facts = await service.facts()
        stage.console.print(
            f"gRPC {facts['grpc']}, HTTP {facts['http']}, PostgreSQL {facts['postgres']},"
            f" Kafka {facts['kafka'] or 'none'}; hospitals {NORTH}, {SOUTH} and {WEST}, each with its own ledger",
            highlight=False,
        )
        told = await work_until(service.watch(), _tell(service, stage))
    if told is None:
        raise StoryFailed("interrupted")
    return told


async def _tell(service: Service, stage: _Stage) -> Told:
    receipts = ReceiptLog()
    async with open_channel(service.grpc, receipts) as channel:
        first, second = await _import(channel, stage)
        imported = (first, *await _import_laboratory(channel, stage))
        events, position = sum(each.events for each in imported), max(each.position for each in imported)
        north = await _person(Client(channel, NORTH, Actor(), events, position), "Dr. Ada Demo")
        south = await _person(Client(channel, SOUTH, Actor()), "Dr. Ben Demo")
        stage.console.rule("4  Views, and the life of one record")
        chosen = await choose(north, stage.console)
        await show_views(north, chosen, stage.console)
        await amend_close_archive(north, chosen, stage.console)
        await show_history(north, chosen, service.grpc, stage.console)
        stage.console.rule("5  The record goes to the other hospital")
        answered = await transfer(north, south, chosen, stage.console)
        settings = load(service.settings_environment)
        check_heads(settings, NORTH, SOUTH, stage.checks)
        freshness = await measure_freshness(north)
        stage.console.rule("6  A record from registration to destruction")
        opener = opener_over(channel, settings, UNSEAL_PURPOSE_INSPECTION)
        recounted = await tell_inpatient_story(channel, WEST, SOUTH, opener, stage.printed, stage.console)
        stage.console.rule("7  The record proven to a stranger")
        pack = stage.printed.with_name("record.proof-pack")
        log_key = await prove(north, chosen.record_id, settings, pack, stage.checks, stage.console)
        acknowledged = north.acknowledged + answered
        stage.console.rule("8  Checks")
        for hospital, events in ((NORTH, acknowledged), (SOUTH, None), (WEST, None)):
            kept = receipts.of(hospital)
            subject = Subject(hospital, stage.partitions, events, service.superuser_url, settings, opener, kept)
            await check_ledger(subject, stage.checks)
    return Told(first, second, acknowledged, freshness, chosen.record_id, stage.stream, recounted, pack, str(log_key))


async def _import(channel: grpc.aio.Channel, stage: _Stage) -> tuple[Report, Report]:
    console, checks = stage.console, stage.checks
    console.rule("3  The import, and the same import again")
    plan = prepare(stage.files, datetime.now(UTC))
    first = await show_import(plan, channel, NORTH, SOURCE_SYSTEM, console)
    print_report(first, console)
    checks.say(
        "every line of the input is accounted for", holds=first.good(), compared=f"{first.lines_total():,} lines"
    )
    second = await show_import(plan, channel, NORTH, SOURCE_SYSTEM, console)
    checks.say(
        "a second import adds nothing",
        holds=second.events == 0 and second.good(),
        compared=f"{second.commands:,} commands sent again, {second.events:,} events added",
    )
    return first, second


async def _import_laboratory(channel: grpc.aio.Channel, stage: _Stage) -> tuple[Report, ...]:
    folder = stage.printed.parent
    return await import_second_system(channel, NORTH, stage.files, folder, stage.checks, stage.console)


async def _person(client: Client, name: str) -> Client:
    """Puts the person who acts into the hospital's register."""
    asked = Actor(name=name, role="physician", department="DEMO", licence="DEMO-1")
    request = RegisterActorRequest(hospital=client.hospital, actor=asked)
    client.actor.CopyFrom((await client.patients.RegisterActor(request)).actor)
    return client


def _print_summary(told: Told, checks: Checks, folder: Path, seconds: float, console: Console) -> None:
    console.rule("9  Summary")
    rate = told.first.commands / told.first.seconds
    ordered = sorted(told.freshness_ms)
    p50, p99 = statistics.median(ordered), ordered[int(len(ordered) * 0.99) - 1]
    carrier = "Kafka" if told.stream == "kafka" else "the PostgreSQL log"
    console.print(
        f"{told.acknowledged:,} events acknowledged and found again; import {rate:,.0f} commands/s, "
        f"again {told.second.commands / told.second.seconds:,.0f}/s\n"
        f"acknowledged to visible on a board, through {carrier}, {len(ordered)} probes one at a time: "
        f"p50 {p50:.1f} ms, p99 {p99:.1f} ms\n"
        f"a record's whole life: {told.recounted.events} events, {told.recounted.refusals} refusals by rule\n"
        f"{checks.held} checks hold, {len(checks.failed)} fail; {seconds:.0f} s in all\n"
        f"data: {folder / 'service'}  (logs of every role lie there)\n"
        "try next:\n"
        f"  .venv/bin/ledger up --dir {_shown(folder / 'service')}\n"
        f"  .venv/bin/ledger replay {NORTH} {told.record_id} --dir {_shown(folder / 'service')}\n"
        f"  .venv/bin/ledger verify {NORTH} --dir {_shown(folder / 'service')}\n"
        f"  .venv/bin/python verifier/verify.py pack {_shown(told.pack)} --key '{told.log_key}'",
        highlight=False,
    )
    for what in checks.failed:
        console.print(f"[bold red]FAILED[/]: {what}")


def _shown(path: Path) -> Path:
    """The path as one would type it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
