"""The role `ledger project run` in a process of its own, to be killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.eventually import eventually

_PROJECT = Path(__file__).parents[2]


class ProjectorProcess:
    """Starts again after a kill, as the supervisor does."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._environment = {"PATH": os.environ["PATH"], **environment}
        self._folder = folder
        self._starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it; returns when it looks at the registry."""
        self._starts += 1
        ready = self._folder / f"ready-{self._starts}"
        command = [sys.executable, "-m", "ledger.cli.main", "project", "run", "--ready-file", str(ready)]
        with (self._folder / "projector.log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=_PROJECT, env=self._environment, stdout=log, stderr=log)
        eventually(ready.exists, what="projector ready")

    def kill(self) -> None:
        """Kills it with SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends it by SIGTERM."""
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None
