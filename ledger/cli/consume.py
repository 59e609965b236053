"""`ledger consume`: the programs at the far end of the stream."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click
import grpc.aio

from consumers.archive_office.archived_tree import ArchiveDiffers
from consumers.archive_office.manifest import BadManifest
from consumers.archive_office.office import ArchiveOffice, ArchiveRun, ArchiveStopped
from consumers.archive_office.record_file import ArchiveFileChanged
from consumers.both_sides import BothSides
from consumers.checkpoints import EndNotRead, LogForked, LogHasEnded, NotConsistent, SeenCheckpoints, SucceedingLog
from consumers.every_hospital import READERS_MAX, EveryHospital
from consumers.follower import Follower, Handle
from consumers.log_over_http import LogOverHttp, LogUnreachable
from consumers.patience import Patience, ServiceUnavailable
from consumers.program_actor import program_actor
from consumers.reader_report import ReaderReport
from consumers.receiving_hospital.desk import ReceivingDesk
from consumers.receiving_hospital.kept_packages import KeptPackages
from consumers.receiving_hospital.own_ledger import OwnLedger
from consumers.receiving_hospital.policy import AnswerPolicy, accept_verified
from consumers.registry import Registry
from consumers.transfer_answers.recorder import AnswerRecorder
from ledger.api.v1.keys_pb2 import UNSEAL_PURPOSE_ARCHIVE, UNSEAL_PURPOSE_TRANSFERS
from ledger.api.v1.records_pb2_grpc import PatientServiceStub, RecordServiceStub
from ledger.api.v1.stream_pb2_grpc import HospitalServiceStub, OperationsServiceStub, StreamServiceStub
from ledger.api.v1.transfers_pb2_grpc import TransferServiceStub
from ledger.cli.archive_report import tell_service
from ledger.cli.bodies import opener_over
from ledger.cli.deadline_clocks import DeadlineClocks
from ledger.cli.errors_shown import shown_errors
from ledger.cli.log_store import read_policy
from ledger.cli.patient_opener import PatientOpener
from ledger.cli.running import Ready, run_until_stopped, settings_for
from ledger.cli.service_address import address_option, unseal_token
from ledger.cli.transfer_topics import transfer_topics
from ledger.keys.remote_opener import RemoteOpener
from ledger.lease import Leases, lease_pool
from ledger.log.log_proofs import consistency_proof
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.format_fault import FormatFault, SignatureFault
from ledger.trust.lineage import number_of
from ledger.trust.log_ended import parse_log_ended
from ledger.trust.note import Note
from projections.connections import connection_pool

_PATIENCE = Patience()
_ARCHIVE_ERRORS = (
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
_CHANNEL_OPTIONS = [("grpc.max_receive_message_length", 8 * 1024 * 1024)]
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
def transfers(folder: Path | None, ready_file: Path | None) -> None:
    """Receive offers and write answers down for every hospital of this service."""
    _run(folder, ready_file, None, "transfers", Desks.both_sides)


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
            _channel(settings.grpc_listen) as channel,
            connection_pool(settings.postgres_views_url) as pool,
            lease_pool(settings.postgres_views_url) as leases,
        ):
            clocks = DeadlineClocks(settings, channel, pool, Leases(leases.connection), _PATIENCE)
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
    except _ARCHIVE_ERRORS as error:
        if isinstance(error, LogForked):
            asyncio.run(tell_service(hospital, address, "forked"))
        raise click.ClickException(str(error)) from error
    if policy:
        asyncio.run(tell_service(hospital, address, "running"))
    click.echo(
        f"{run.added.events:,} events added; the archive holds {run.events:,} events of {run.records:,} records "
        f"up to position {run.head_position:,}; every chain holds."
    )
    if run.checkpoint:
        click.echo(f"The log of {run.checkpoint.origin} has signed it up to position {run.checkpoint.size:,}.")


def accepted_checkpoint(log_url: str, policy: Path, folder: Path) -> Checkpoint:
    """The head that the log shows now, where policy and history allow it; remembered in the archive's folder."""
    seen = SeenCheckpoints(folder / "checkpoints", read_policy(policy))
    with LogOverHttp(log_url) as log:
        note, before = log.checkpoint(), log.succeeded()
        prove = partial(consistency_proof, log)
        shown = SucceedingLog(before, note, prove, partial(_prove_ended, log_url, before)) if before else None
        if shown is not None:
            seen.read_end(shown)
        try:
            return seen.accept(note, prove)
        except SignatureFault:
            # The log that the policy knows may have ended, and another be served in its place.
            if shown is not None:
                raise LogHasEnded(seen.end(shown)) from None
            raise


def _prove_ended(log_url: str, ended: Note, old: int, size: int) -> tuple[bytes, ...]:
    """A proof of the log that ended, whose tiles lie beside those of the one that goes on."""
    number = number_of(parse_log_ended(ended.text).last.origin)
    with LogOverHttp(f"{log_url.rstrip('/')}.{number}") as log:
        return consistency_proof(log, old, size)


async def archive(
    hospital: str, folder: Path, address: str, token: str, checkpoint: Checkpoint | None = None
) -> ArchiveRun:
    """One run of the archive office."""
    async with _channel(address) as channel:
        stub = StreamServiceStub(channel)
        opener = PatientOpener(RemoteOpener(channel, token, UNSEAL_PURPOSE_ARCHIVE))
        office = ArchiveOffice(
            hospital, stub=stub, folder=folder, opener=opener, patience=_PATIENCE, checkpoint=checkpoint
        )
        return await office.run()


def _channel(address: str) -> grpc.aio.Channel:
    # Every listener is loopback only until authentication exists; then this becomes a secure channel.
    return grpc.aio.insecure_channel(address, options=_CHANNEL_OPTIONS)


def _clock() -> datetime:
    return datetime.now(UTC)


Build = Callable[["Desks", str], Awaitable[Handle]]


def _run(folder: Path | None, ready_file: Path | None, hospital: str | None, name: str, build: Build) -> None:
    """Follows the topic of one hospital, or of every one, until SIGTERM or Ctrl-C."""
    settings = settings_for("unseal_token_file")
    if settings.stream == "postgres":
        settings = settings_for("postgres_stream_url", "unseal_token_file")
    own_folder = (folder or settings.data_dir) / "consumers"

    async def work(stop: asyncio.Event, ready: Ready) -> None:
        # A blocking poll of each open reader has a thread to itself, so that none waits for another.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(READERS_MAX + 4))
        open_topic = transfer_topics(settings)
        async with _channel(settings.grpc_listen) as channel:
            opener = PatientOpener(opener_over(channel, settings, UNSEAL_PURPOSE_TRANSFERS))
            desks = Desks(channel, settings.grpc_listen, own_folder)

            async def follow(each: str, stop: asyncio.Event, others_wait: Callable[[], bool]) -> None:
                handle = await build(desks, each)
                follower = Follower(
                    each,
                    open_topic=open_topic,
                    handle=handle,
                    opener=opener,
                    folder=own_folder / each / name,
                    clock=_clock,
                    say=ReaderReport(OperationsServiceStub(channel), each, name, _PATIENCE).say,
                )
                await follower.run(stop, others_wait)

            await EveryHospital(desks.registry, follow, only=hospital).run(stop, lambda: ready({}))

    run_until_stopped(work, ready_file)


class Desks:
    """Builds the handlers of a hospital's topic on one service."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        address: str,
        folder: Path,
        clock: Callable[[], datetime] = _clock,
        policy: AnswerPolicy = accept_verified,
        patience: Patience = _PATIENCE,
    ) -> None:
        self._patience = patience
        self._folder = folder
        self._clock = clock
        self._policy = policy
        self.registry = Registry(HospitalServiceStub(channel), address, patience)
        self._patients = PatientServiceStub(channel)
        self._records = RecordServiceStub(channel)
        self._transfers = TransferServiceStub(channel)

    async def both_sides(self, hospital: str) -> Handle:
        """Offers and answers."""
        return BothSides(await self._desk(hospital), await self._recorder(hospital)).handle

    async def receiving(self, hospital: str) -> Handle:
        """Offers to the hospital."""
        return (await self._desk(hospital)).handle

    async def answers(self, hospital: str) -> Handle:
        """Answers to the hospital's offers."""
        return (await self._recorder(hospital)).handle

    async def _desk(self, hospital: str) -> ReceivingDesk:
        actor = await program_actor(self._patients, hospital, "receiving-hospital", self._patience)
        return ReceivingDesk(
            hospital,
            own_ledger=OwnLedger(self._transfers, hospital, actor, self._patience),
            registry=self.registry,
            kept=KeptPackages(self._folder / hospital / "packages"),
            open_channel=_channel,
            patience=self._patience,
            clock=self._clock,
            policy=self._policy,
        )

    async def _recorder(self, hospital: str) -> AnswerRecorder:
        actor = await program_actor(self._patients, hospital, "transfer-answers", self._patience)
        return AnswerRecorder(
            hospital,
            stub=self._transfers,
            records=self._records,
            registry=self.registry,
            actor=actor,
            patience=self._patience,
        )
