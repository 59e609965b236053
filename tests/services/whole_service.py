"""The whole service as `ledger up` runs it: real processes, which tests may kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ledger.cli.service_folder import ServiceFolder
from ledger.cli.service_secrets import secret_settings
from ledger.config import Settings, load
from tests.eventually import eventually

START_SECONDS_MAX = 90.0
STOP_SECONDS_MAX = 60.0


class WholeService:
    """`ledger up` on a folder; may be started again and again on the same data."""

    def __init__(self, folder: Path, stream: str, cache: Path) -> None:
        self.folder = folder
        self.stream = stream
        self.facts: dict[str, Any] = {}
        self._ready = folder.with_suffix(".ready.json")
        self._log = folder.with_suffix(".up.log")
        self._cache = cache
        self._process: subprocess.Popen[bytes] | None = None
        self._pids: dict[str, int] = {}

    def start(self, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        """Starts it and waits for the ready file."""
        self.launch("--hospital", "north", "--hospital", "south", *arguments, environment=environment)
        self.wait_until_ready()

    def launch(self, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        """Starts it and does not wait."""
        self._ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "ledger.cli.main", "up", "--dir", str(self.folder)]
        options = ["--stream", self.stream, "--ready-file", str(self._ready)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *options, *arguments],
                stdout=log,
                stderr=log,
                env={**os.environ, **(environment or {})},
                cwd=self._cache.parent,
            )

    def wait_until_ready(self) -> None:
        """Waits for the ready file and reads it."""
        eventually(self._has_answered, seconds_max=START_SECONDS_MAX)
        self.facts = json.loads(self._ready.read_text())

    def _has_answered(self) -> bool:
        if self._running().poll() is not None:
            raise AssertionError(self._log.read_text())
        return self._ready.exists()

    def stop(self) -> int:
        """Ends it as Ctrl-C or a supervisor would; the exit status."""
        process = self._running()
        self._pids = self.pids  # the ready file goes with the service
        process.send_signal(signal.SIGTERM)
        return process.wait(STOP_SECONDS_MAX)

    def kill9(self, role: str) -> None:
        """Kills one process of it: a role, `postgres`, `kafka`, or `up` itself."""
        os.kill(self.pid(role), signal.SIGKILL)
        if role == "up":
            self._running().wait(STOP_SECONDS_MAX)

    def kill9_all(self) -> None:
        """Kills every process of it, the supervisor first, as a power cut would."""
        for name in ("up", *(each for each in self.pids if each != "up")):
            with suppress(ProcessLookupError):
                os.kill(self.pid(name), signal.SIGKILL)
        self._running().wait(STOP_SECONDS_MAX)

    def stop_if_running(self) -> None:
        """Ends it where the test has not."""
        if self._process is not None and self._process.poll() is None:
            self.stop()

    def pid(self, role: str) -> int:
        """The process id of a role, `postgres`, `kafka` or `up`, as it is now."""
        return self.pids[role]

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of everything that runs now, as the ready file tells them; after a clean end the last."""
        if self._ready.exists():
            self._pids = json.loads(self._ready.read_text())["pids"]
        return self._pids

    @property
    def log(self) -> str:
        """What `ledger up` has said so far, over all its starts."""
        return self._log.read_text()

    @property
    def grpc(self) -> str:
        """Address of the gRPC edge; the same after a restart of the role."""
        return self.facts["grpc"]

    @property
    def settings(self) -> Settings:
        """The settings of its roles, as they find them in their environment."""
        kept = ServiceFolder.look(self.folder)
        port = int(self.facts["postgres"].partition("/")[0].rpartition(":")[2])
        roles = ("migrate", "append", "stream", "views", "keys")
        urls = {f"LEDGER_POSTGRES_{role.upper()}_URL": kept.url(f"ledger_{role}", port) for role in roles}
        kafka = {"LEDGER_STREAM": self.stream, "LEDGER_KAFKA_BOOTSTRAP": self.facts["kafka"] or ""}
        own = {"LEDGER_GRPC_LISTEN": self.grpc, "LEDGER_DATA_DIR": str(self.folder)}
        return load({**urls, **kafka, **secret_settings(self.folder), **own})

    @property
    def ready(self) -> bool:
        """Whether the ready file is there."""
        return self._ready.exists()

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process
