"""`ledger verify [ledger]`: every stored byte hashed again, chains walked, the root rebuilt, the first fault named."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
import grpc.aio
from click.core import ParameterSource

from consumers.archive_office.manifest import BadManifest
from consumers.archive_office.record_file import ArchiveFileChanged
from consumers.archive_office.verification import verify_archive
from ledger.api.v1.stream_pb2 import ReadHospitalRequest
from ledger.api.v1.stream_pb2_grpc import StreamServiceStub
from ledger.cli.checking_bar import checking_bar
from ledger.cli.errors_shown import shown_errors
from ledger.cli.forks import since_fork
from ledger.cli.served_hospitals import all_hospitals
from ledger.cli.service_address import DEFAULT_ADDRESS
from ledger.cli.service_folder import ServiceFolder
from ledger.cli.signed_heads import log_ends, of_hospital, signed_heads
from ledger.cli.trusted_keys import policy_of, trust_options
from ledger.cli.verify_words import say
from ledger.keys.origin import hospital_of
from ledger.store.errors import StoreUnavailable, UnknownHospital
from ledger.store.whole_ledger import registered_hospitals, verify_stored
from ledger.trust.lineage import Succession
from ledger.trust.log_ended import LogEnded
from ledger.trust.note_key import VerifierKey
from ledger.trust.policy import Witnessed
from ledger.trust.root_watch import RootWatch
from ledger.trust.verify import Fault, LedgerWalk, Row, Summary

_BATCH_EVENTS = 1000
_URL_VARIABLE = "LEDGER_POSTGRES_APPEND_URL"
_CHANNEL_OPTIONS = [("grpc.max_receive_message_length", 8 * 1024 * 1024)]


@dataclass
class _Asked:
    """What is to be compared with what."""

    hospitals: tuple[str, ...]
    heads: list[Witnessed]
    since: list[Witnessed]
    ends: list[LogEnded]
    jobs: int
    found: list[tuple[str, Fault | Summary, RootWatch]] = field(
        default_factory=list[tuple[str, Fault | Summary, RootWatch]]
    )

    def watch(self, hospital: str) -> RootWatch:
        ends = [end for end in self.ends if hospital_of(end.last.origin) == hospital]
        return RootWatch(of_hospital([*self.heads, *self.since], hospital), ends)


@click.command()
@click.argument("hospitals", nargs=-1)
@click.option("--archive", type=click.Path(path_type=Path), help="Check this archive's files instead of a service.")
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), help="Check what PostgreSQL of the `ledger up` on DIR holds."
)
@click.option("--address", default=DEFAULT_ADDRESS, show_default=True, help="gRPC address of the service.")
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    help="Signed checkpoint to compare with: a file, a folder (`checkpoint` or *.checkpoint), or the URL of a log.",
)
@click.option("--ended", multiple=True, help="How a log ended: a file, or the URL of `succeeded` beside its successor.")
@click.option("--since", multiple=True, help="Checkpoint up to which all was verified before, in this very place.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes that check rows or files; else one a core.")
@trust_options
@click.pass_context
def ledger(
    context: click.Context,
    hospitals: tuple[str, ...],
    archive: Path | None,
    folder: Path | None,
    address: str,
    checkpoints: tuple[str, ...],
    ended: tuple[str, ...],
    since: tuple[str, ...],
    jobs: int | None,
    key: VerifierKey | None,
    policy: Path | None,
) -> None:
    """Check the ledgers of HOSPITALS (none named: every one), or an archive's files.

    With --dir, or with LEDGER_POSTGRES_APPEND_URL set and no --address, the rows of PostgreSQL are read, and the
    columns beside the events, stream heads and head are compared too; else the events as the service serves them.

    Says that nothing inside was altered, removed, added or reordered. That nothing is missing at the end it says
    against signed checkpoints alone: remembered ones, kept where who runs the ledger cannot reach, under a policy.

    Up to a checkpoint of --since the leaf hashes alone are read, which must lead to its root; of an archive every file
    is hashed besides. Envelopes, bodies, columns and chains there are not looked at again: what was altered there since
    is found by a check without --since alone. Events that a service serves are always read whole, by one process.
    """
    trusted = policy_of(key, policy)
    if (checkpoints or since or ended) and trusted is None:
        raise click.UsageError("--checkpoint, --since and --ended need --key or --policy")
    named = context.get_parameter_source("address") is ParameterSource.COMMANDLINE
    url = _url_in(folder) if folder else "" if named else os.environ.get(_URL_VARIABLE, "")
    if since and not (archive or url):
        raise click.UsageError("--since is for the rows of PostgreSQL and for archives")
    asked = _Asked(
        hospitals,
        signed_heads(checkpoints, trusted) if trusted else [],
        signed_heads(since, trusted) if trusted else [],
        log_ends(ended, trusted) if trusted else [],
        jobs or os.cpu_count() or 1,
    )
    if archive is not None:
        _check_archive(archive, asked)
    elif url:
        _check_rows(url, asked)
    else:
        _check_service(address, asked)
    held = [say(*each) for each in asked.found]
    _refuse_strange(asked)
    if not all(held):
        raise SystemExit(1)


def _refuse_strange(asked: _Asked) -> None:
    """A checkpoint that was compared with nothing must not look like one that holds."""
    summaries = [found for _, found, _ in asked.found if isinstance(found, Summary)]
    origins = {found.origin for found in summaries}
    origins |= {each.ended for found in summaries for each in found.successions}
    faulty = {hospital for hospital, found, _ in asked.found if isinstance(found, Fault)}
    for head in (*asked.heads, *asked.since):
        origin = head.checkpoint.origin
        if origin not in origins and not any(of_hospital([head], hospital) for hospital in faulty):
            raise click.ClickException(f"a checkpoint of {origin}: no ledger of this origin was checked")
    successions = {each for found in summaries for each in found.successions}
    for end in asked.ends:
        if not faulty and Succession(end.surviving + 1, end.last.origin, end.successor.name) not in successions:
            raise click.ClickException(f"the end of {end.last.origin}: the ledger does not go on as it says")


def _url_in(folder: Path) -> str:
    """Where PostgreSQL of a running `ledger up` answers."""
    try:
        port = json.loads((folder / "postgres" / "ports.json").read_text())["postgres"]
        return ServiceFolder.look(folder).url("ledger_append", port)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"{folder} is no folder of `ledger up`") from error


def _check_rows(url: str, asked: _Asked) -> None:
    click.echo("Compared: the rows of PostgreSQL; events, the columns beside them, stream heads and head.")

    async def check() -> None:
        for each in asked.hospitals or await registered_hospitals(url):
            watch = asked.watch(each)
            known = _known_to(of_hospital(asked.since, each), watch)
            with checking_bar(each) as progress:
                found = await verify_stored(
                    url, each, watch=watch, since=known, processes=asked.jobs, progress=progress
                )
            asked.found.append((each, found, watch))

    try:
        asyncio.run(check())
    except UnknownHospital as error:
        raise click.ClickException(f"{error.hospital}: {UnknownHospital.__doc__}") from error
    except StoreUnavailable as error:
        raise click.ClickException("PostgreSQL cannot be reached") from error


def _known_to(before: list[Witnessed], watch: RootWatch) -> int:
    """Up to which position all was verified before; a head of lost events is compared with nothing and covers none."""
    return max((head.checkpoint.size for head in before if head not in watch.lost), default=0)


def _check_service(address: str, asked: _Asked) -> None:
    click.echo(f"Compared: the events as {address} serves them; not the columns that PostgreSQL keeps beside them.")
    with shown_errors():
        asyncio.run(_verify_service(address, asked))


async def verify_hospital(hospital: str, channel: grpc.aio.Channel, watch: RootWatch) -> Fault | Summary:
    """The first fault of a hospital's ledger as the service serves it, or what was checked."""
    walk = LedgerWalk()
    async for batch in _batches(hospital, channel):
        leaves, fault = walk.take_all(batch)
        if fault := watch.take(leaves) or fault:
            return fault
    return watch.end() or walk.summary()


async def _batches(hospital: str, channel: grpc.aio.Channel) -> AsyncIterator[list[Row]]:
    request = ReadHospitalRequest(hospital=hospital, batch_size=_BATCH_EVENTS)
    async for batch in StreamServiceStub(channel).ReadHospital(request):
        yield [Row(event.position, event.envelope, event.body) for event in batch.events]


async def _verify_service(address: str, asked: _Asked) -> None:
    async with grpc.aio.insecure_channel(address, options=_CHANNEL_OPTIONS) as channel:
        hospitals: Iterator[str] = iter(asked.hospitals)
        if not asked.hospitals:
            hospitals = (each.id for each in await all_hospitals(channel) if each.state != "adding")
        for each in hospitals:
            watch = asked.watch(each)
            asked.found.append((each, await verify_hospital(each, channel, watch), watch))


def _check_archive(archive: Path, asked: _Asked) -> None:
    watch = RootWatch([*asked.heads, *asked.since], asked.ends)
    known = _known_to(asked.since, watch)
    try:
        with checking_bar(str(archive)) as progress:
            found = verify_archive(archive, watch, progress, since=known, processes=asked.jobs)
        asked.found.append((str(archive), found, watch))
        for line in since_fork(archive):
            click.echo(line)
    except (ArchiveFileChanged, BadManifest) as error:
        raise click.ClickException(str(error)) from error
