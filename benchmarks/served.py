"""`ledger serve` as it runs in service, in a process of its own on a PostgreSQL of its own, for as long as a block."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ledger.cli.service_secrets import make_secrets, secret_settings
from ledger.embedded.postgres import EmbeddedPostgres

READY_SECONDS_MAX = 120.0
STOP_SECONDS_MAX = 60.0
_ROLES = ("MIGRATE", "APPEND", "STREAM", "VIEWS", "KEYS")
_PROJECT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Server:
    """A process that answers."""

    pid: int
    grpc: str
    """host:port."""
    http: str = ""


class NotReady(Exception):
    """A server did not answer in time."""


@contextmanager
def bench_folder() -> Generator[Path]:
    """A folder that PostgreSQL's own user may pass through."""
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as made:
        folder = Path(made)
        folder.chmod(0o711)
        yield folder


def service_settings(folder: Path, server: EmbeddedPostgres) -> dict[str, str]:
    """The settings of every role, as environment variables; makes the secrets on first use."""
    make_secrets(folder)
    urls = {f"LEDGER_POSTGRES_{role}_URL": server.superuser_url for role in _ROLES}
    listen = {"LEDGER_GRPC_LISTEN": "127.0.0.1:0", "LEDGER_HTTP_LISTEN": "127.0.0.1:0"}
    return {**urls, **listen, **secret_settings(folder), "LEDGER_DATA_DIR": str(folder / "data")}


@contextmanager
def serving(settings: dict[str, str], folder: Path, name: str = "server") -> Generator[Server]:
    """`ledger serve` with these settings."""
    with running(["ledger.cli.main", "serve"], folder, settings, name) as server:
        yield server


@contextmanager
def running(
    program: Sequence[str], folder: Path, settings: dict[str, str] | None = None, name: str = "server"
) -> Generator[Server]:
    """A Python program that takes `--ready-file` and says there where it answers."""
    ready = folder / f"{name}.ready.json"
    ready.unlink(missing_ok=True)
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("LEDGER_")}
    command = [sys.executable, "-m", *program, "--ready-file", str(ready)]
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=_PROJECT, env={**inherited, **(settings or {})}, stdout=log, stderr=log)
    try:
        facts = _facts(process, ready)
        yield Server(process.pid, facts["grpc"], facts.get("http", "").removeprefix("http://"))
    finally:
        process.terminate()
        process.wait(STOP_SECONDS_MAX)


def _facts(process: subprocess.Popen[bytes], ready: Path) -> dict[str, str]:
    end = time.monotonic() + READY_SECONDS_MAX
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > end:
            raise NotReady(ready.with_name(ready.name.replace(".ready.json", ".log")).read_text())
        time.sleep(0.02)
    return json.loads(ready.read_text())
