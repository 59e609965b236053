"""The demo itself: two hospitals, real input, the story of a record, and the checks."""

from __future__ import annotations

import asyncio
import shutil
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from importers.fhir.importing import SOURCE_SYSTEM, prepare
from importers.fhir.report import Report
from ledger.api.v1.common_pb2 import Actor
from ledger.api.v1.records_pb2 import RegisterActorRequest
from ledger.cli.demo.checks import Checks, Subject, check_ledger
from ledger.cli.demo.client import Client, open_channel
from ledger.cli.demo.clinical_input import clinical_files, described, generator
from ledger.cli.demo.freshness import measure_freshness
from ledger.cli.demo.handover import transfer
from ledger.cli.demo.life import amend_close_archive, show_history
from ledger.cli.demo.looking import choose, show_views
from ledger.cli.import_fhir import print_report, run_import
from ledger.cli.service import Service
from ledger.cli.up import choose_stream
from ledger.config import load
from ledger.embedded.postgres import EmbeddedPostgres

PARTITIONS = 6
NORTH, SOUTH = "north", "south"
_WIDTH = 140


@click.command()
@click.option("--dir", "folder", type=click.Path(path_type=Path), required=True, help="Where the demo keeps its data.")
@click.option("--people", type=click.IntRange(1, 100_000), help="Simulate a catchment of this size instead.")
@click.option("--stream", type=click.Choice(["kafka", "postgres"]), help="What carries the published stream.")
def demo(folder: Path, people: int | None, stream: str | None) -> None:
    """Run the whole path on real input, and check everything that it claims."""
    console = Console() if Console().is_terminal else Console(width=_WIDTH)
    began = time.monotonic()
    folder = folder.resolve()
    service_folder = folder / "service"
    _remove_last(service_folder)
    console.rule("1  The input")
    files = clinical_files(folder / "input", people)
    console.print(f"{described(files)}; made by {generator(files)}, seed 7; in {files}", highlight=False)
    checks = Checks(console)
    told = asyncio.run(_run(service_folder, choose_stream(service_folder, stream), files, console, checks))
    _print_summary(told, checks, folder, time.monotonic() - began, console)
    if checks.failed:
        raise SystemExit(1)


def _remove_last(folder: Path) -> None:
    """The demo begins on an empty ledger each time; only what an earlier demo made is removed."""
    if (folder / "service.json").exists():
        EmbeddedPostgres(folder / "postgres").remove_elsewhere()
        shutil.rmtree(folder)


@dataclass(frozen=True)
class Told:
    """What the closing summary tells."""

    first: Report
    second: Report
    acknowledged: int
    freshness_ms: list[float]
    record_id: str
    grpc: str
    stream: str


async def _run(folder: Path, stream: str, files: Path, console: Console, checks: Checks) -> Told:
    console.rule("2  The service")
    async with Service(folder, stream, PARTITIONS) as service:
        await service.add_hospitals((NORTH, SOUTH))
        facts = await service.facts()
        console.print(
            f"gRPC {facts['grpc']}, HTTP {facts['http']}, PostgreSQL {facts['postgres']},"
            f" Kafka {facts['kafka'] or 'none'}; hospitals {NORTH} and {SOUTH}, each with its own ledger",
            highlight=False,
        )
        watch = asyncio.Event()
        watcher = asyncio.create_task(service.watch(watch))
        try:
            return await _tell(service, stream, files, console, checks)
        finally:
            watch.set()
            await watcher


async def _tell(service: Service, stream: str, files: Path, console: Console, checks: Checks) -> Told:
    console.rule("3  The import, and the same import again")
    plan = prepare(files, datetime.now(UTC))
    first = await run_import(plan, service.grpc, NORTH, SOURCE_SYSTEM, console)
    print_report(first, console)
    checks.say(
        "every line of the input is accounted for", holds=first.good(), compared=f"{first.lines_total():,} lines"
    )
    second = await run_import(plan, service.grpc, NORTH, SOURCE_SYSTEM, console)
    checks.say(
        "a second import adds nothing",
        holds=second.events == 0 and second.good(),
        compared=f"{second.commands:,} commands sent again, {second.events:,} events added",
    )
    async with open_channel(service.grpc) as channel:
        north = await _person(Client(channel, NORTH, Actor(), first.events, first.position), "Dr. Ada Demo")
        south = await _person(Client(channel, SOUTH, Actor()), "Dr. Ben Demo")
        console.rule("4  Views, and the life of one record")
        chosen = await choose(north)
        await show_views(north, chosen, console)
        await amend_close_archive(north, chosen, console)
        await show_history(north, chosen, service.grpc, console)
        console.rule("5  The record goes to the other hospital")
        answered = await transfer(north, south, chosen, console)
        freshness = await measure_freshness(north)
        acknowledged = north.acknowledged + answered
    console.rule("6  Checks")
    subject = Subject(NORTH, PARTITIONS, acknowledged, service.superuser_url, load(service.settings_environment))
    await check_ledger(subject, checks)
    return Told(first, second, acknowledged, freshness, chosen.record_id, service.grpc, stream)


async def _person(client: Client, name: str) -> Client:
    """Puts the person who acts into the hospital's register."""
    asked = Actor(name=name, role="physician", department="DEMO", licence="DEMO-1")
    request = RegisterActorRequest(hospital=client.hospital, actor=asked)
    client.actor.CopyFrom((await client.patients.RegisterActor(request)).actor)
    return client


def _print_summary(told: Told, checks: Checks, folder: Path, seconds: float, console: Console) -> None:
    console.rule("7  Summary")
    rate = told.first.commands / told.first.seconds
    ordered = sorted(told.freshness_ms)
    p50, p99 = statistics.median(ordered), ordered[int(len(ordered) * 0.99) - 1]
    carrier = "Kafka" if told.stream == "kafka" else "the PostgreSQL log"
    console.print(
        f"{told.acknowledged:,} events acknowledged and found again; import {rate:,.0f} commands/s, "
        f"again {told.second.commands / told.second.seconds:,.0f}/s\n"
        f"acknowledged to visible on a board, through {carrier}, {len(ordered)} probes one at a time: "
        f"p50 {p50:.1f} ms, p99 {p99:.1f} ms\n"
        f"{checks.held} checks hold, {len(checks.failed)} fail; {seconds:.0f} s in all\n"
        f"data: {folder / 'service'}  (logs of every role lie there)\n"
        "try next:\n"
        f"  .venv/bin/ledger up --dir {_shown(folder / 'service')}\n"
        f"  .venv/bin/ledger replay {NORTH} {told.record_id} --address {told.grpc}\n"
        f"  .venv/bin/ledger verify {NORTH} --address {told.grpc}",
        highlight=False,
    )
    for what in checks.failed:
        console.print(f"[bold red]FAILED[/]: {what}")


def _shown(path: Path) -> Path:
    """The path as one would type it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
