"""`ledger up`: every role in one process tree, on a PostgreSQL and a Kafka of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ledger.cli.running import settings_for, write_ready
from ledger.cli.service import MigrationFailed, RoleFailed, Service
from ledger.cli.service_folder import StreamDiffers, kept_stream
from ledger.embedded.errors import EmbeddedError, KafkaUnavailable
from ledger.embedded.java import find_java
from ledger.embedded.kafka_jars import provide_jars


@click.command()
@click.option("--dir", "folder", type=click.Path(path_type=Path), required=True, help="Where everything is kept.")
@click.option("--hospital", "hospitals", multiple=True, help="A hospital to add; may be repeated.")
@click.option("--ready-file", type=click.Path(path_type=Path), help="Appears, as JSON, once everything answers.")
@click.option("--stream", type=click.Choice(["kafka", "postgres"]), help="What carries the published stream.")
@click.option("--partitions", type=click.IntRange(1, 256), default=6, show_default=True, help="Per new hospital.")
def up(folder: Path, hospitals: tuple[str, ...], ready_file: Path | None, stream: str | None, partitions: int) -> None:
    """Run the whole service until Ctrl-C or SIGTERM."""
    settings_for()  # a bad setting is refused by name before anything starts
    if ready_file is not None:
        ready_file.unlink(missing_ok=True)
    chosen = choose_stream(folder, stream)
    try:
        asyncio.run(_run(folder.resolve(), hospitals or ("north", "south"), ready_file, chosen, partitions))
    except (StreamDiffers, EmbeddedError, MigrationFailed, RoleFailed) as error:
        raise click.ClickException(str(error)) from error


async def _run(folder: Path, hospitals: Sequence[str], ready_file: Path | None, stream: str, partitions: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with Service(folder, stream, partitions) as service:
        await service.add_hospitals(hospitals)
        facts = await service.facts()
        write_ready(ready_file, facts)
        _print_addresses(facts)
        # Whoever reads the file later wants the processes that run then.
        await service.watch(stop, lambda: write_ready(ready_file, {**facts, "pids": service.pids}))
    print("stopped")


def choose_stream(folder: Path, wanted: str | None) -> str:
    """Kafka where it can run, else the PostgreSQL log with one loud line; a folder keeps what it began with."""
    stream = wanted or kept_stream(folder)
    if stream == "postgres":
        return stream
    try:
        find_java()
        provide_jars(None)
    except KafkaUnavailable as error:
        if stream == "kafka":
            raise click.ClickException(str(error)) from error
        print(f"*** The published stream runs on the PostgreSQL log, not on Kafka: {error}", file=sys.stderr)
        return "postgres"
    return "kafka"


def _print_addresses(facts: dict[str, Any]) -> None:
    print(f"gRPC        {facts['grpc']}")
    print(f"HTTP        {facts['http']}   (Connect/JSON, /metrics, /readyz)")
    print(f"PostgreSQL  {facts['postgres']}")
    print(f"Kafka       {facts['kafka'] or 'none: the published stream is the PostgreSQL log'}")
    for hospital in facts["hospitals"]:
        print(f"hospital    {hospital['id']}   {hospital['origin']}")
    print(f"stop with Ctrl-C, or kill -TERM {os.getpid()}", flush=True)
