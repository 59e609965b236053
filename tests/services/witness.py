"""`ledger witness` as a process of its own, which tests may kill; it starts again on the same memory and address."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import httpx

from ledger.embedded.ports import free_port
from ledger.keys.key_folder import KeyFolder
from ledger.trust.note_key import KeyKind, VerifierKey
from ledger.trust.witness_request import AddCheckpoint
from tests.eventually import eventually

_PROJECT = Path(__file__).parents[2]
_PASSPHRASE = "a passphrase of the tests"
_COST = 14


class WitnessProcess:
    """One witness with a key of its own."""

    def __init__(self, folder: Path, name: str, logs: Iterable[VerifierKey]) -> None:
        folder.mkdir(mode=0o700)
        self._folder = folder
        self._name = name
        keys = KeyFolder(folder / "keys")
        self.key = keys.make(name, KeyKind.COSIGNATURE, _PASSPHRASE.encode(), cost=_COST)
        (folder / "passphrase").touch(0o600)
        (folder / "passphrase").write_text(f"{_PASSPHRASE}\n")
        (folder / "logs").write_text("".join(f"{key}\n" for key in logs))
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers, running or not."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def memory(self) -> Path:
        """The folder of what it remembers."""
        return self._folder / "memory"

    def start(self, program: str = "ledger.cli.main") -> None:
        """Starts it and waits until it answers. `program` may be a module that starts it with a defect."""
        ready = self._folder / "ready.json"
        ready.unlink(missing_ok=True)
        key_file = KeyFolder(self._folder / "keys").path_of(self._name, KeyKind.COSIGNATURE)
        command = [sys.executable, "-m", program, "witness", "--dir", str(self.memory), "--key", str(key_file)]
        files = ["--passphrase-file", str(self._folder / "passphrase"), "--logs", str(self._folder / "logs")]
        listen = ["--listen", f"127.0.0.1:{self._port}", "--ready-file", str(ready)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LEDGER_")}
        with (self._folder / "witness.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *files, *listen], cwd=_PROJECT, env=environment, stdout=log, stderr=log
            )
        eventually(lambda: ready.exists() or not self.alive, what="witness ready")
        assert self.alive, (self._folder / "witness.log").read_text()
        assert json.loads(ready.read_text())["key"] == str(self.key)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends it cleanly."""
        self._end(signal.SIGTERM)

    def add(self, request: AddCheckpoint) -> httpx.Response:
        """Its answer to add-checkpoint."""
        return httpx.post(f"{self.url}/add-checkpoint", content=request.encode(), timeout=60, trust_env=False)

    def _end(self, number: int) -> None:
        if self._process is not None and self.alive:
            self._process.send_signal(number)
            self._process.wait(60)
