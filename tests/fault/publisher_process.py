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

    def __init__(self, database: Database, bootstrap: str, folder: Path) -> None:
        self._environment = {
            "PATH": os.environ["PATH"],
            "LEDGER_POSTGRES_STREAM_URL": database.role_url("ledger_stream"),
            "LEDGER_STREAM": "kafka" if bootstrap else "postgres",
            "LEDGER_KAFKA_BOOTSTRAP": bootstrap,
        }
        self._folder = folder
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it; returns when it looks at the registry."""
        self.starts += 1
        ready = self._folder / f"ready-{self.starts}"
        with (self._folder / "publisher.log").open("ab") as log:
            command = [sys.executable, "-m", "tests.fault.publisher_process", str(ready)]
            self._process = subprocess.Popen(command, cwd=_PROJECT, env=self._environment, stdout=log, stderr=log)
        eventually(ready.exists, what="publisher ready")

    def kill(self) -> None:
        """Kills it with SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends it by SIGTERM."""
        self._end(signal.SIGTERM)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(20)


async def _main(ready: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await run_publisher(load(os.environ, "postgres_stream_url"), FIXED_KEY, stop, ready.touch)


if __name__ == "__main__":
    configure_logging("INFO")
    asyncio.run(_main(Path(sys.argv[1])))
