"""`ledger consume`: the programs at the far end of the stream."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from consumers.accepted_head import accepted_head
from consumers.archive_office.archived_tree import ArchiveDiffers
from consumers.archive_office.manifest import BadManifest
from consumers.archive_office.office import ArchiveOffice, ArchiveRun, ArchiveStopped
from consumers.archive_office.record_file import ArchiveFileChanged
from consumers.checkpoints import EndNotRead, LogForked, LogHasEnded, NotConsistent, SeenCheckpoints
from consumers.every_hospital import READERS_MAX, EveryHospital
from consumers.follower import Desk, Follower
from consumers.log_over_http import LogOverHttp, LogUnreachable
from consumers.patience import ServiceUnavailable
from consumers.reader_report import ReaderReport
from ledger.api.v1.keys_pb2 import UNSEAL_PURPOSE_ARCHIVE, UNSEAL_PURPOSE_TRANSFERS
from ledger.api.v1.stream_pb2_grpc import OperationsServiceStub, StreamServiceStub
from ledger.cli.archive_report import say_forks_seen, state_after, tell_service
from ledger.cli.bodies import opener_over
from ledger.cli.deadline_clocks import DeadlineClocks
from ledger.cli.desks import CHECKPOINTS, PATIENCE, Desks, clock, open_channel
from ledger.cli.errors_shown import shown_errors
from ledger.cli.log_store import read_policy
from ledger.cli.patient_opener import PatientOpener
from ledger.cli.running import Ready, run_until_stopped, settings_for
from ledger.cli.senders_trust import own_senders, senders_policy
from ledger.cli.service_address import address_option, unseal_token
from ledger.cli.transfer_topics import transfer_topics
from ledger.keys.remote_opener import RemoteOpener
from ledger.lease import Leases, lease_pool
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.format_fault import FormatFault
from projections.connections import connection_pool

ARCHIVE_ERRORS = (
    ArchiveStopped,
    ArchiveDiffers,
    ArchiveFileChanged,
    BadManifest,
    ServiceUnavailable,
    LogUnreachable,
    EndNotRead,
    LogForked,
    LogHasEnded,
    NotConsistent,
    FormatFault,
)
_dir_option = click.option(
    "--dir", "folder", type=click.Path(path_type=Path), help="Where it keeps what is its own; default: LEDGER_DATA_DIR."
)
_ready_option = click.option("--ready-file", type=click.Path(path_type=Path), help="Appears once it follows.")


@click.group()
def consume() -> None:
    """Run a consumer of the published stream."""


@consume.command()
@_dir_option
@_ready_option
@click.option(
    "--own-logs",
    is_flag=True,
    help="Without LEDGER_RECEIVER_POLICY: hold the hospitals of this service to their own logs, read on its own edge.",
)
def transfers(folder: Path | None, ready_file: Path | None, own_logs: bool) -> None:
    """Receive offers and write answers down for every hospital of this service."""
    _run(folder, ready_file, None, "transfers", Desks.both_sides, own_logs=own_logs)


@consume.command("receiving-hospital")
@click.argument("hospital")
@_dir_option
@_ready_option
def receiving_hospital(hospital: str, folder: Path | None, ready_file: Path | None) -> None:
    """Fetch, check, keep and answer what is offered to HOSPITAL."""
    _run(folder, ready_file, hospital, "receiving-hospital", Desks.receiving)


@consume.command("transfer-answers")
@click.argument("hospital")
@_dir_option
@_ready_option
def transfer_answers(hospital: str, folder: Path | None, ready_file: Path | None) -> None:
    """Write the answers to HOSPITAL's offers into its records."""
    _run(folder, ready_file, hospital, "transfer-answers", Desks.answers)


@consume.command()
@click.option("--hospital", help="Only this hospital; every one otherwise.")
@_ready_option
def deadlines(hospital: str | None, ready_file: Path | None) -> None:
    """Report missed deadlines, move retention dates on and end terms, for every hospital of this service."""
    settings = settings_for("postgres_views_url")
    if settings.stream == "postgres":
        settings = settings_for("postgres_views_url", "postgres_stream_url")

    async def work(stop: asyncio.Event, ready: Ready) -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(READERS_MAX + 4))
        async with (
            open_channel(settings.grpc_listen) as channel,
            connection_pool(settings.postgres_views_url) as pool,
            lease_pool(settings.postgres_views_url) as leases,
        ):
            clocks = DeadlineClocks(settings, channel, pool, Leases(leases.connection), PATIENCE)
            await clocks.run(hospital, stop, lambda: ready({}))

    run_until_stopped(work, ready_file)


@consume.command("archive-office")
@click.argument("hospital")
@click.argument("folder", type=click.Path(path_type=Path))
@address_option
@click.option(
    "--log", "log_url", default="", help="The hospital's log, http://HOST:PORT/log/HOSPITAL, to compare with."
)
@click.option("--policy", type=click.Path(path_type=Path), help="tlog-policy file: keys of log and witnesses.")
def archive_office(hospital: str, folder: Path, address: str, log_url: str, policy: Path | None) -> None:
    """Write the whole history of HOSPITAL into files below FOLDER, checked; again: add what is new.

    With --log and --policy the history must be the one that the log has signed and its witnesses have seen.
    """
    if bool(log_url) != bool(policy):
        raise click.UsageError("--log and --policy go together: without keys a checkpoint says nothing")
    try:
        with shown_errors():
            checkpoint = accepted_checkpoint(log_url, policy, folder) if policy else None
            run = asyncio.run(archive(hospital, folder, address, unseal_token(), checkpoint))
    except ARCHIVE_ERRORS as error:
        if isinstance(error, (LogForked, NotConsistent, ArchiveDiffers)):
            asyncio.run(tell_service(hospital, address, state_after(error)))
        raise click.ClickException(str(error)) from error
    if policy:
        asyncio.run(tell_service(hospital, address, "running"))
    asyncio.run(say_forks_seen(hospital, address))
    click.echo(
        f"{run.added.events:,} events added; the archive holds {run.events:,} events of {run.records:,} records "
        f"up to position {run.head_position:,}; every chain holds."
    )
    if run.checkpoint:
        click.echo(f"The log of {run.checkpoint.origin} has signed it up to position {run.checkpoint.size:,}.")


def accepted_checkpoint(log_url: str, policy: Path, folder: Path) -> Checkpoint:
    """The head that the log shows now, where policy and history allow it; remembered in the archive's folder."""
    seen = SeenCheckpoints(folder / CHECKPOINTS, read_policy(policy))
    with LogOverHttp(log_url) as log:
        return accepted_head(log, seen)


async def archive(
    hospital: str, folder: Path, address: str, token: str, checkpoint: Checkpoint | None = None
) -> ArchiveRun:
    """One run of the archive office."""
    async with open_channel(address) as channel:
        stub = StreamServiceStub(channel)
        opener = PatientOpener(RemoteOpener(channel, token, UNSEAL_PURPOSE_ARCHIVE))
        office = ArchiveOffice(
            hospital, stub=stub, folder=folder, opener=opener, patience=PATIENCE, checkpoint=checkpoint
        )
        return await office.run()


Build = Callable[[Desks, str], Awaitable[Desk]]


def _run(
    folder: Path | None,
    ready_file: Path | None,
    hospital: str | None,
    name: str,
    build: Build,
    *,
    own_logs: bool = False,
) -> None:
    """Follows the topic of one hospital, or of every one, until SIGTERM or Ctrl-C."""
    settings = settings_for("unseal_token_file")
    if settings.stream == "postgres":
        settings = settings_for("postgres_stream_url", "unseal_token_file")
    own_folder = (folder or settings.data_dir) / "consumers"
    trust = senders_policy(settings.receiver_policy) or (own_senders(settings) if own_logs else None)

    async def work(stop: asyncio.Event, ready: Ready) -> None:
        # A blocking poll of each open reader has a thread to itself, so that none waits for another.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(READERS_MAX + 4))
        open_topic = transfer_topics(settings)
        async with open_channel(settings.grpc_listen) as channel:
            opener = PatientOpener(opener_over(channel, settings, UNSEAL_PURPOSE_TRANSFERS))
            desks = Desks(channel, settings.grpc_listen, own_folder, trust=trust)

            async def follow(each: str, stop: asyncio.Event, others_wait: Callable[[], bool]) -> None:
                follower = Follower(
                    each,
                    open_topic=open_topic,
                    desk=await build(desks, each),
                    opener=opener,
                    folder=own_folder / each / name,
                    clock=clock,
                    say=desks.say_for(each, ReaderReport(OperationsServiceStub(channel), each, name, PATIENCE).say),
                )
                await follower.run(stop, others_wait)

            await EveryHospital(desks.registry, follow, only=hospital).run(stop, lambda: ready({}))

    run_until_stopped(work, ready_file)
