"""One role of the service as a process of its own, started again when it dies."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from ledger.embedded.leashed_process import LeashedProcess

RESTARTS_MAX = 10
RESTARTS_WINDOW_SECONDS = 60.0
READY_SECONDS_MAX = 60.0
_LOOK_SECONDS = 0.05


class RoleFailed(Exception):
    """A role died too often, or did not become ready; its log says why."""

    def __init__(self, role: str, log: Path) -> None:
        super().__init__(f"role {role}: see {log}")
        self.role = role
        self.log = log


class RoleProcess:
    """A `ledger <role>` process. It writes its ready file when it answers, and dies with this process."""

    def __init__(self, role: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self.role = role
        self._arguments = arguments
        self._folder = folder
        self._ready_file = folder / f"{role}.ready"
        self._log = folder / f"{role}.log"
        self._environment = dict(environment)
        self._process: LeashedProcess | None = None
        self._starts: deque[float] = deque(maxlen=RESTARTS_MAX)

    @property
    def pid(self) -> int:
        """Process id of the running process."""
        if self._process is None:
            raise RoleFailed(self.role, self._log)
        return self._process.pid

    @property
    def ready(self) -> bool:
        """Whether it has said that it answers."""
        return self._ready_file.exists()

    def start(self) -> None:
        """Starts the process. Raises RoleFailed where it was started too often of late."""
        now = time.monotonic()
        if len(self._starts) == RESTARTS_MAX and now - self._starts[0] < RESTARTS_WINDOW_SECONDS:
            raise RoleFailed(self.role, self._log)
        self._starts.append(now)
        self._ready_file.unlink(missing_ok=True)
        self._process = LeashedProcess(
            [sys.executable, "-m", "ledger.cli.main", *self._arguments, "--ready-file", str(self._ready_file)],
            folder=self._folder,
            log=self._log,
            death_signal=signal.SIGTERM,
            environment=self._environment,
        )

    async def wait_until_ready(self) -> None:
        """Returns when the role answers. Raises RoleFailed where it ends or takes too long."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self.ready:
            if self._process is None or not self._process.alive or time.monotonic() > deadline:
                raise RoleFailed(self.role, self._log)
            await asyncio.sleep(_LOOK_SECONDS)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.alive

    def restart_if_dead(self) -> bool:
        """Starts the process again where it has died; says whether it had. Raises RoleFailed as `start` does."""
        if self.alive:
            return False
        self.start()
        return True

    async def stop(self, seconds: float) -> None:
        """Ends the process cleanly, or by force where it takes longer."""
        if self._process is not None:
            await asyncio.to_thread(self._process.stop, signal.SIGTERM, seconds_each=seconds)
