"""A service's logs grown by `ledger integrate`, until everything has its signed head."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from benchmarks.ground import Ground
from benchmarks.served import STOP_SECONDS_MAX
from ledger.blobs.directory import DirectoryBlobs
from ledger.config import load
from ledger.log.log_files import LogFiles
from ledger.trust.checkpoint import parse_checkpoint

_SECONDS_MAX = 300.0


class NotIntegrated(Exception):
    """A log did not come to its ledger's end in time."""


def integrate(stood_on: Ground, hospital: str, events: int) -> None:
    """Grows the log to so many leaves at least, then stops the role."""
    settings = {**stood_on.settings, "LEDGER_LOG_PASSPHRASE_FILE": stood_on.settings["LEDGER_KEY_PASSPHRASE_FILE"]}
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("LEDGER_")}
    command = [sys.executable, "-m", "ledger.cli.main", "integrate", "--make-keys"]
    files, end = LogFiles(DirectoryBlobs(load(settings).data_dir / "log"), hospital), time.monotonic() + _SECONDS_MAX
    with (stood_on.folder / "integrate.log").open("ab") as log:
        process = subprocess.Popen(command, env={**inherited, **settings}, stdout=log, stderr=log)
    try:
        while _size(files) < events:
            if process.poll() is not None or time.monotonic() > end:
                raise NotIntegrated((stood_on.folder / "integrate.log").read_text())
            time.sleep(0.2)
    finally:
        process.terminate()
        process.wait(STOP_SECONDS_MAX)


def _size(files: LogFiles) -> int:
    note = files.published()
    return parse_checkpoint(note.text).size if note else 0
