"""`ledger serve`: commands, reads and view queries for those who call."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Mapping
from pathlib import Path

import click
import uvloop

from ledger.application.ledger import NOBODY_TRUSTED, Ledger
from ledger.cli.bodies import Bodies, bodies_with_keys, consumers_of, erasing_of
from ledger.cli.cycles import look_seldom
from ledger.cli.erasure_follower import ErasureFollower
from ledger.cli.log_store import own_logs
from ledger.cli.purge_queries import purge_queries, purges_of
from ledger.cli.queries import view_queries
from ledger.cli.running import Ready, run_until_stopped, settings_for
from ledger.config import Settings
from ledger.keys.disclosing import Disclosing
from ledger.keys.unsealing import Unsealing
from ledger.server import key_service
from ledger.server.key_service import KeyService
from ledger.server.log_readers import READERS_BYTES_MAX, LogReader, Logs, ReadersFault, parse_readers
from ledger.server.proofs import Proofs
from ledger.server.serving import Addresses, run_server
from ledger.signatures.trust import HospitalTrust
from ledger.signatures.trust_file import TrustFileFault, read_trust

_ready_file = click.option("--ready-file", type=click.Path(path_type=Path), help="Appears once the role answers.")
_NEEDED = (
    "postgres_append_url",
    "postgres_migrate_url",
    "postgres_views_url",
    "postgres_keys_url",
    "key_file",
    "key_passphrase_file",
    "unseal_consumers_file",
)
_GRPC_NOT_BOUND = "bind"  # all by which a taken port can be told from a defect: grpcio raises RuntimeError for both


@click.command()
@_ready_file
def serve(ready_file: Path | None) -> None:
    """Serve commands, reads and view queries over gRPC and Connect."""
    look_seldom()
    settings = settings_for(*_NEEDED)
    logs, trust = Logs(own_logs(settings), _readers(settings)), certificate_trust(settings)

    async def work(stop: asyncio.Event, ready: Ready) -> None:
        def answers(at: Addresses) -> None:
            ready({"grpc": at.grpc, "http": at.http})

        try:
            async with bodies_with_keys(settings) as bodies:
                await _serve(settings, bodies, logs, trust, stop, answers)
        except RuntimeError as error:
            if _GRPC_NOT_BOUND not in str(error):
                raise
            raise click.ClickException(f"LEDGER_GRPC_LISTEN: {settings.grpc_listen} cannot be listened on") from error
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES):
                raise
            raise click.ClickException(f"LEDGER_HTTP_LISTEN: {settings.http_listen} cannot be listened on") from error

    run_until_stopped(work, ready_file, uvloop.new_event_loop)


async def _serve(
    settings: Settings,
    bodies: Bodies,
    logs: Logs,
    trust: Mapping[str, HospitalTrust],
    stop: asyncio.Event,
    answers: Callable[[Addresses], None],
) -> None:
    consumers = consumers_of(settings)
    keys = KeyService(Unsealing(consumers, bodies.opener))
    ledger = await Ledger.open(settings, bodies.sealer, bodies.opener, trust)
    try:
        erasing = erasing_of(settings, bodies, consumers)
        follower = ErasureFollower(erasing, ledger.hospitals, ledger.drop_destroyed)
        await follower.catch_up()  # what is destroyed stays so, also where an older state of the keys was put back
        async with view_queries(settings, ledger, bodies.opener) as queries, follower.following():
            proofs = Proofs(ledger, logs, Disclosing(bodies.keys).disclose).queries()
            own = {key_service.RPC: keys.unseal, **purge_queries(purges_of(settings, ledger, bodies))}
            served = {**queries, **proofs, **own}
            await run_server(settings, ledger, served, stop, answers, logs=logs, unfollowed=follower.not_followed)
    finally:
        await ledger.close()


def certificate_trust(settings: Settings) -> Mapping[str, HospitalTrust]:
    """By hospital what signatures by certificate are checked by. Raises ClickException with every fault of the file."""
    if settings.certificates is None:
        return NOBODY_TRUSTED
    try:
        return read_trust(settings.certificates)
    except TrustFileFault as error:
        raise click.ClickException(f"LEDGER_CERTIFICATES: {error}") from error


def _readers(settings: Settings) -> tuple[LogReader, ...]:
    if settings.log_readers is None:
        return ()
    try:
        with settings.log_readers.open("rb") as file:
            return parse_readers(file.read(READERS_BYTES_MAX + 1))
    except (OSError, ReadersFault) as error:
        raise click.ClickException(f"LEDGER_LOG_READERS: {error}") from error
