"""The publisher in a process of its own, to be killed."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from ledger.config import load
from ledger.publisher.role import run_publisher
from ledger.telemetry.logs import configure_logging
from tests.eventually import eventually
from tests.services.postgres import Database
from tests.services.sealed import FIXED_KEY

_PROJECT = Path(__file__).parents[2]


class PublisherProcess:
    """Starts again after a kill, as the supervisor does."""

    def __init__(self, database: Database, bootstrap: str, folder: Path, *program: str) -> None:
        """`program`: another module than this one, with arguments of its own."""
        self._environment = {
            "PATH": os.environ["PATH"],
            "LEDGER_POSTGRES_STREAM_URL": database.role_url("ledger_stream"),
            "LEDGER_STREAM": "kafka" if bootstrap else "postgres",
            "LEDGER_KAFKA_BOOTSTRAP": bootstrap,
        }
        self._program = program or (__name__,)
        self._folder = folder
        self.log = folder / "publisher.log"
        """What it printed."""
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it; returns when it looks at the registry."""
        self.starts += 1
        ready = self._folder / f"ready-{self.starts}"
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", *self._program, str(ready)]
            self._process = subprocess.Popen(command, cwd=_PROJECT, env=self._environment, stdout=log, stderr=log)
        eventually(ready.exists, what="publisher ready")

    def kill(self) -> None:
        """Kills it with SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends it by SIGTERM."""
        self._end(signal.SIGTERM)

    def wait_until_frozen(self) -> None:
        """Until it has stopped itself."""
        assert self._process is not None
        state = Path(f"/proc/{self._process.pid}/stat")
        # The state stands behind the name, which may hold anything but ends with the last bracket.
        eventually(lambda: state.read_text().rpartition(") ")[2].startswith("T"), seconds_max=30, what="it is frozen")

    def go_on(self) -> None:
        """Continues it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def said(self) -> str:
        """Its log."""
        return self.log.read_text()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)


async def publish_until_sigterm(ready: Path) -> None:
    """The role, with what is needed for it in the environment."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await run_publisher(load(os.environ, "postgres_stream_url"), FIXED_KEY, stop, ready.touch)


if __name__ == "__main__":
    configure_logging("INFO")
    asyncio.run(publish_until_sigterm(Path(sys.argv[1])))
