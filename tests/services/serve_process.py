"""The role `ledger serve` as a process of its own, several of which may serve one database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.eventually import eventually
from tests.services.key_files import key_settings
from tests.services.postgres import Database

_PROJECT = Path(__file__).parents[2]
_SECONDS_MAX = 60.0
_URLS = ("migrate", "append", "views", "stream", "keys")


def serve_environment(database: Database, **more: str) -> dict[str, str]:
    """The settings of the role on this database, on ports that are free."""
    urls = {f"LEDGER_POSTGRES_{each.upper()}_URL": database.role_url(f"ledger_{each}") for each in _URLS}
    listen = {"LEDGER_GRPC_LISTEN": "127.0.0.1:0", "LEDGER_HTTP_LISTEN": "127.0.0.1:0"}
    return {**urls, **listen, **key_settings(), **more}


@contextmanager
def serving(environment: Mapping[str, str], ready_file: Path) -> Generator[str]:
    """The address at which a server of these settings answers, while the block runs."""
    process = start_serve(environment, ready_file)
    try:
        eventually(lambda: ready_file.exists() or process.poll() is not None, seconds_max=_SECONDS_MAX, what="ready")
        assert process.poll() is None, _log(ready_file).read_text()
        yield json.loads(ready_file.read_text())["grpc"]
    finally:
        process.terminate()
        process.wait(_SECONDS_MAX)


def refusal_of(environment: Mapping[str, str], ready_file: Path) -> tuple[int, str]:
    """Exit status and words of a server that does not start with these settings."""
    process = start_serve(environment, ready_file)
    try:
        status = process.wait(_SECONDS_MAX)
    finally:
        process.kill()
    assert not ready_file.exists()
    return status, _log(ready_file).read_text()


def start_serve(
    environment: Mapping[str, str], ready_file: Path, program: str = "ledger.cli.main"
) -> subprocess.Popen[bytes]:
    """The process, just started. `program` may be a module that starts it with a defect."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LEDGER_")}
    command = [sys.executable, "-m", program, "serve", "--ready-file", str(ready_file)]
    env = {**inherited, **environment}
    with _log(ready_file).open("ab") as log:
        return subprocess.Popen(command, cwd=_PROJECT, env=env, stdout=log, stderr=log)


def _log(ready_file: Path) -> Path:
    return ready_file.with_suffix(".log")
