"""`ledger serve`: commands, reads and view queries for those who call."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import click

from ledger.application.ledger import Ledger
from ledger.cli.bodies import body_opener, body_sealer
from ledger.cli.log_store import log_blobs
from ledger.cli.queries import view_queries
from ledger.cli.running import Ready, run_until_stopped, settings_for
from ledger.config import Settings
from ledger.server.log_readers import READERS_BYTES_MAX, LogReader, ReadersFault, parse_readers
from ledger.server.proofs import Proofs
from ledger.server.serving import Addresses, Logs, run_server

_ready_file = click.option("--ready-file", type=click.Path(path_type=Path), help="Appears once the role answers.")
_GRPC_NOT_BOUND = "bind"  # all by which a taken port can be told from a defect: grpcio raises RuntimeError for both


@click.command()
@_ready_file
def serve(ready_file: Path | None) -> None:
    """Serve commands, reads and view queries over gRPC and Connect."""
    settings = settings_for("postgres_append_url", "postgres_migrate_url", "postgres_views_url")
    logs = Logs(log_blobs(settings), _readers(settings))

    async def work(stop: asyncio.Event, ready: Ready) -> None:
        def answers(at: Addresses) -> None:
            ready({"grpc": at.grpc, "http": at.http})

        ledger = await Ledger.open(settings, body_sealer(settings), body_opener(settings))
        try:
            async with view_queries(settings, ledger) as queries:
                proofs = Proofs(ledger, log_blobs(settings)).queries()
                await run_server(settings, ledger, {**queries, **proofs}, stop, answers, logs=logs)
        except RuntimeError as error:
            if _GRPC_NOT_BOUND not in str(error):
                raise
            raise click.ClickException(f"LEDGER_GRPC_LISTEN: {settings.grpc_listen} cannot be listened on") from error
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES):
                raise
            raise click.ClickException(f"LEDGER_HTTP_LISTEN: {settings.http_listen} cannot be listened on") from error
        finally:
            await ledger.close()

    run_until_stopped(work, ready_file)


def _readers(settings: Settings) -> tuple[LogReader, ...]:
    if settings.log_readers is None:
        return ()
    try:
        with settings.log_readers.open("rb") as file:
            return parse_readers(file.read(READERS_BYTES_MAX + 1))
    except (OSError, ReadersFault) as error:
        raise click.ClickException(f"LEDGER_LOG_READERS: {error}") from error
