"""`ledger serve`: commands, reads and view queries for those who call."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from ledger.application.ledger import Ledger
from ledger.cli.bodies import body_opener, body_sealer
from ledger.cli.queries import view_queries
from ledger.cli.running import Ready, run_until_stopped, settings_for
from ledger.server.serving import run_server

_ready_file = click.option("--ready-file", type=click.Path(path_type=Path), help="Appears once the role answers.")


@click.command()
@_ready_file
def serve(ready_file: Path | None) -> None:
    """Serve commands, reads and view queries over gRPC and Connect."""
    settings = settings_for("postgres_append_url", "postgres_migrate_url", "postgres_views_url")

    async def work(stop: asyncio.Event, ready: Ready) -> None:
        ledger = await Ledger.open(settings, body_sealer(settings), body_opener(settings))
        try:
            async with view_queries(settings, ledger) as queries:
                await run_server(settings, ledger, queries, stop, lambda at: ready({"grpc": at.grpc, "http": at.http}))
        finally:
            await ledger.close()

    run_until_stopped(work, ready_file)
