"""`ledger witness`: cosigns the logs of others, as a program of its own."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Generator
from pathlib import Path

import click
import uvicorn

from ledger.cli.note_keys import opened_key
from ledger.cli.running import Ready, run_until_stopped
from ledger.server import listen_address
from ledger.server.listen_address import bound_socket
from ledger.telemetry.logs import configure_logging
from ledger.trust.note_key import KeyKind
from ledger.witness.followed_logs import LOGS_BYTES_MAX, FollowedLogsFault, parse_followed_logs
from ledger.witness.witness_app import WitnessApp
from ledger.witness.witness_memory import MemoryInUse, WitnessMemory

_DRAIN_SECONDS = 5


@click.command()
@click.option("--dir", "folder", required=True, type=click.Path(path_type=Path), help="What it remembers lies here.")
@click.option("--key", "key_file", required=True, type=click.Path(path_type=Path), help="Its key: keys new --witness.")
@click.option("--passphrase-file", required=True, type=click.Path(path_type=Path), help="Its first line opens the key.")
@click.option("--logs", "logs_file", required=True, type=click.Path(path_type=Path), help="A verifier key a line.")
@click.option(
    "--listen", default="127.0.0.1:7090", show_default=True, help="Loopback; a proxy with TLS stands before it."
)
@click.option("--ready-file", type=click.Path(path_type=Path), help="Appears once it answers, with its address.")
def witness(
    folder: Path, key_file: Path, passphrase_file: Path, logs_file: Path, listen: str, ready_file: Path | None
) -> None:
    """Cosign checkpoints of the logs in a file, each only where its tree is the one seen before, grown.

    It needs no other part of the ledger. A witness that has lost its folder must retire its key.
    """
    configure_logging("INFO")
    key = opened_key(key_file, passphrase_file, KeyKind.COSIGNATURE)
    try:
        with logs_file.open("rb") as file:
            logs = parse_followed_logs(file.read(LOGS_BYTES_MAX + 1))
        memory = WitnessMemory(folder)
    except (OSError, FollowedLogsFault, MemoryInUse) as error:
        raise click.ClickException(str(error)) from error
    app = WitnessApp(logs, memory, key, lambda: int(time.time()))
    listener = bound_socket(listen_address.parse("listen", listen))

    async def work(stop: asyncio.Event, ready: Ready) -> None:
        server = _Server(app)
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="witness")
        ready({"http": f"http://127.0.0.1:{listener.getsockname()[1]}", "key": str(key.verifier())})
        await stop.wait()
        server.should_exit = True
        await serving

    try:
        run_until_stopped(work, ready_file)
    finally:
        memory.close()


class _Server(uvicorn.Server):
    """Leaves the signals of the process to the role."""

    def __init__(self, app: WitnessApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,  # pyright: ignore[reportArgumentType] # asgiref's own types
                lifespan="off",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_DRAIN_SECONDS,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield
