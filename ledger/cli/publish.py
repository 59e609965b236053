"""`ledger publish`: brings every hospital's events to the published stream."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import prometheus_client

from ledger.api.v1.keys_pb2 import UNSEAL_PURPOSE_ROUTING
from ledger.cli.bodies import remote_opener
from ledger.cli.log_store import own_logs
from ledger.cli.running import Ready, run_until_stopped, settings_for
from ledger.publisher.role import run_publisher

_LOOPBACK = "127.0.0.1"


@click.command()
@click.option("--ready-file", type=click.Path(path_type=Path), help="Appears once the role answers.")
@click.option("--metrics-port", type=click.IntRange(1, 65_535), help="Serve this role's own /metrics on loopback.")
def publish(ready_file: Path | None, metrics_port: int | None) -> None:
    """Publish every hospital's events, in order and exactly once."""
    settings = settings_for("postgres_stream_url", "unseal_token_file")
    if metrics_port is not None:
        prometheus_client.start_http_server(metrics_port, addr=_LOOPBACK)

    async def work(stop: asyncio.Event, ready: Ready) -> None:
        async with remote_opener(settings, UNSEAL_PURPOSE_ROUTING) as opener:
            await run_publisher(settings, opener, stop, lambda: ready({}), own_logs(settings))

    run_until_stopped(work, ready_file)
