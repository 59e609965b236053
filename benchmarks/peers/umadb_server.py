"""UmaDB's server as its wheel ships it, for as long as a block."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers.fetched import PeerMissing
from ledger.embedded.ports import LOOPBACK, free_port

_READY_SECONDS_MAX = 20.0
_STOP_SECONDS_MAX = 20.0
_MAIN = "import sys; from umadb.umadb_server_cli import main; main()"


@contextmanager
def umadb_server(package: Path, folder: Path) -> Generator[str]:
    """Its URL. The settings are those it comes with. Raises PeerMissing where it does not start on this machine."""
    port = free_port()
    command = [sys.executable, "-c", _MAIN, "--listen", f"{LOOPBACK}:{port}", "--db-path", str(folder / "uma.db")]
    environment = {"PATH": os.defpath, "PYTHONPATH": str(package)}
    with (folder / "umadb.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait(process, port, folder / "umadb.log")
        yield f"http://{LOOPBACK}:{port}"
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_STOP_SECONDS_MAX)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _READY_SECONDS_MAX
    while True:
        try:
            socket.create_connection((LOOPBACK, port), 1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise PeerMissing(f"UmaDB did not start: {log.read_text()[-200:]}") from None
            time.sleep(0.05)
        else:
            return
