"""`ledger up`: every role in one process tree, on a PostgreSQL and a Kafka of its own."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click
import grpc

from ledger.cli.errors_shown import describe, said
from ledger.cli.readiness import NotAnswering
from ledger.cli.role_process import RoleFailed
from ledger.cli.running import withdraw_ready, write_ready
from ledger.cli.service import HospitalRefused, MigrationFailed, Service
from ledger.cli.service_folder import PortTaken, StreamDiffers
from ledger.cli.service_options import (
    asked_of,
    choose_stream,
    dir_option,
    own_servers_settings,
    partitions_option,
    stream_option,
)
from ledger.cli.service_secrets import KeysMissing
from ledger.cli.supervision import work_until
from ledger.embedded.errors import EmbeddedError
from ledger.keys.errors import KeyProblem
from ledger.store.errors import StoreError
from ledger.store.hospitals import HOSPITAL_ID

SERVICE_ERRORS = (
    StreamDiffers,
    KeysMissing,
    KeyProblem,
    PortTaken,
    EmbeddedError,
    MigrationFailed,
    RoleFailed,
    HospitalRefused,
    NotAnswering,
    StoreError,
    OSError,
)
"""Why a service cannot be run here; each says it in its own words."""


_END = (signal.SIGTERM, signal.SIGINT)


def _good_ids(_context: click.Context, _option: click.Parameter, hospitals: tuple[str, ...]) -> tuple[str, ...]:
    wrong = [each for each in hospitals if not HOSPITAL_ID.fullmatch(each)]
    if wrong:
        raise click.BadParameter(f"{', '.join(wrong)}: an id is a lower-case letter and 1 to 30 of a-z, 0-9 and -")
    return hospitals


def _writable_place(_context: click.Context, _option: click.Parameter, file: Path | None) -> Path | None:
    if file is not None and (file.is_dir() or not os.access(file.absolute().parent, os.W_OK | os.X_OK)):
        raise click.BadParameter(f"{file} cannot be written")
    return file


@click.command()
@dir_option
@click.option("--hospital", "hospitals", multiple=True, callback=_good_ids, help="A hospital to add; may be repeated.")
@click.option(
    "--ready-file",
    type=click.Path(path_type=Path),
    callback=_writable_place,
    help="There, as JSON, while everything answers.",
)
@stream_option
@partitions_option
def up(
    folder: Path | None, hospitals: tuple[str, ...], ready_file: Path | None, stream: str | None, partitions: int | None
) -> None:
    """Run the whole service until Ctrl-C or SIGTERM; --dir is LEDGER_DATA_DIR/up where it is not given.

    A service that has no hospital gets north and south where none is named.
    """
    settings = own_servers_settings()  # a bad one is refused by name before anything starts
    # Until the loop takes signals, nothing runs that would have to be ended.
    for number in _END:
        signal.signal(number, _leave)
    asked = asked_of(stream, partitions, settings)
    folder = (folder or settings.data_dir / "up").resolve()
    try:
        withdraw_ready(ready_file)
        service = Service(folder, choose_stream(folder, asked.stream), asked.partitions, asked.listen)
        asyncio.run(_run(service, hospitals, ready_file))
    except grpc.RpcError as error:
        raise click.ClickException(describe(error)) from error
    except SERVICE_ERRORS as error:
        raise click.ClickException(said(error)) from error


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


async def _run(service: Service, hospitals: tuple[str, ...], ready_file: Path | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _END:
        loop.add_signal_handler(number, stop.set)
    await work_until(stop.wait(), _serve(service, hospitals, ready_file))
    print("stopped")


async def _serve(service: Service, hospitals: tuple[str, ...], ready_file: Path | None) -> None:
    async with service:
        await service.add_hospitals(hospitals)
        await service.until_it_answers()
        facts = await service.facts()
        write_ready(ready_file, facts)
        try:
            _print_addresses(facts)
            # Whoever reads the file later wants the processes that run then.
            await service.watch(lambda: write_ready(ready_file, {**facts, "pids": service.pids}))
        finally:
            withdraw_ready(ready_file)


def _print_addresses(facts: dict[str, Any]) -> None:
    print(f"gRPC        {facts['grpc']}")
    print(f"HTTP        {facts['http']}   (Connect/JSON, /metrics, /readyz)")
    print(f"PostgreSQL  {facts['postgres']}")
    print(f"Kafka       {facts['kafka'] or 'none: the published stream is the PostgreSQL log'}")
    for hospital in facts["hospitals"]:
        print(f"hospital    {hospital['id']}   {hospital['origin']}")
    print(f"stop with Ctrl-C, or kill -TERM {os.getpid()}", flush=True)
