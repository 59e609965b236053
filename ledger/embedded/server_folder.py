"""What every folder of a server of ours knows: who owns it now, what was left over, which ports it had."""

import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TextIO, cast

from ledger.embedded.errors import FolderInUse, ServerFailed
from ledger.embedded.ports import free_port, is_free

_REMNANT_SECONDS_MAX = 20.0
_POLL_SECONDS = 0.05


class ServerFolder:
    """A folder that one process at a time may use."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock: TextIO | None = None

    def acquire(self) -> None:
        """Own the folder until `release` or the end of this process. Raises FolderInUse."""
        if self._lock is not None:
            return
        lock = (self.path / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise FolderInUse(self.path) from None
        self._lock = lock

    def release(self) -> None:
        """Let another process use the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def ports(self, *names: str) -> dict[str, int]:
        """The ports of the last run where they are still free, else new ones; remembered."""
        record = self.path / "ports.json"
        known = cast("dict[str, int]", json.loads(record.read_text())) if record.exists() else {}
        chosen = {name: known[name] if name in known and is_free(known[name]) else free_port() for name in names}
        write_privately(record, json.dumps(chosen))
        return chosen


def make_folder(folder: Path) -> Path:
    """The folder, made where it is missing so that others may pass through it but not look; modes of others stay."""
    missing = [level for level in (folder, *folder.parents) if not level.exists()]
    for level in reversed(missing):
        level.mkdir()
        level.chmod(0o711)
    return folder


def end_remnants(working_folder: Path, number: signal.Signals, server: str, log: Path) -> None:
    """End what a killed predecessor left running with this working folder; the caller owns the folder.

    PostgreSQL and our Kafka both run with their data folder as working folder, so it names them whatever their pid.
    """
    deadline = time.monotonic() + _REMNANT_SECONDS_MAX
    while pids := _running_in(working_folder):
        if time.monotonic() > deadline:
            raise ServerFailed(server, f"left processes {pids} that do not end", log)
        _signal_all(pids, number)
        time.sleep(_POLL_SECONDS)


def write_privately(file: Path, text: str) -> None:
    """Write the file whole or not at all, for this user's eyes only."""
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)


def _running_in(folder: Path) -> list[int]:
    if sys.platform != "linux":
        return []
    numbers = (entry for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [int(entry.name) for entry in numbers if _working_folder(entry) == str(folder)]


def _working_folder(process: Path) -> str | None:
    try:
        return str((process / "cwd").readlink())
    except OSError:  # it ended meanwhile, or it belongs to somebody else and so is not ours
        return None


def _signal_all(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
