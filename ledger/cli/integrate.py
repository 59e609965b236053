"""`ledger integrate`: grows every hospital's log, signs its heads and has them cosigned."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import click
import prometheus_client

from ledger.cli.log_store import key_folder, log_blobs, log_verifiers, own_logs, publishing_policy
from ledger.cli.map_records import map_all
from ledger.cli.running import Ready, run_until_stopped, settings_for
from ledger.config import Settings
from ledger.integrator.log_keys import LogKeys
from ledger.integrator.role import Log, run_integrator

_LOOPBACK = "127.0.0.1"
_log = logging.getLogger(__name__)


@click.command()
@click.option("--ready-file", type=click.Path(path_type=Path), help="Appears once the role answers.")
@click.option("--metrics-port", type=click.IntRange(1, 65_535), help="Serve this role's own /metrics on loopback.")
@click.option("--make-keys", is_flag=True, help="Make the key of a log that has none; else `ledger keys new` does.")
@click.option(
    "--maps-every",
    type=click.IntRange(60, 86_400),
    help="Seconds between two record maps that are published beside it, as `ledger map` does; else none are.",
)
def integrate(ready_file: Path | None, metrics_port: int | None, make_keys: bool, maps_every: int | None) -> None:
    """Integrate every hospital's events into its log, sign its heads, have them cosigned, publish them."""
    settings = settings_for("postgres_stream_url")
    verifiers = log_verifiers(settings)
    keys = LogKeys(key_folder(settings), settings.log_passphrase_file, make=make_keys, verifiers=verifiers)
    log = Log(log_blobs(settings), keys, publishing_policy(settings.log_policy, settings.origin_prefix))
    if metrics_port is not None:
        prometheus_client.start_http_server(metrics_port, addr=_LOOPBACK)

    async def work(stop: asyncio.Event, ready: Ready) -> None:
        async with _mapping(settings, maps_every):
            await run_integrator(settings, log, stop, lambda: ready({}))

    run_until_stopped(work, ready_file)


@asynccontextmanager
async def _mapping(settings: Settings, every: int | None) -> AsyncGenerator[None]:
    """Publishes record maps while the block runs, where asked to."""
    if every is None:
        yield
        return
    task = asyncio.create_task(map_all(settings.grpc_listen, own_logs(settings), every), name="record maps")
    task.add_done_callback(_say_ended)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _say_ended(task: asyncio.Task[None]) -> None:
    """A defect of the maps must not end the log, nor go unseen."""
    if not task.cancelled():
        _log.error("record maps are published no longer; start again", exc_info=task.exception())
