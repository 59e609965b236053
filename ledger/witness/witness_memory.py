"""What a witness remembers: the last checkpoint that it cosigned of each log, on disk before the cosignature leaves."""

from __future__ import annotations

import fcntl
import os
from hashlib import sha256
from pathlib import Path

from ledger.blobs.directory import DirectoryBlobs, make_folder
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.format_fault import CheckpointFault
from ledger.trust.witness import Known

_LOCK = "lock"


class MemoryInUse(Exception):
    """Another witness uses this folder; two that do not know of each other could cosign a fork."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder}: {self.__doc__}")
        self.folder = folder


class MemoryDamaged(Exception):
    """What the witness remembers of a log cannot be read. It must not cosign on: retire its key, make another."""

    def __init__(self, origin: str) -> None:
        super().__init__(f"{origin}: {self.__doc__}")
        self.origin = origin


class WitnessMemory:
    """One folder, one process. Calls block and may fail with BlobError."""

    def __init__(self, folder: Path) -> None:
        """Takes the folder for this process alone, until `close`. Raises MemoryInUse."""
        make_folder(folder)
        self._lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise MemoryInUse(folder) from None
        self._blobs = DirectoryBlobs(folder)

    def known(self, origin: str) -> Known:
        """What was cosigned last under an origin. Raises MemoryDamaged."""
        data = self._blobs.get(_name(origin))
        if data is None:
            return Known()
        try:
            checkpoint = parse_checkpoint(data.decode())
        except (CheckpointFault, UnicodeDecodeError):
            raise MemoryDamaged(origin) from None
        if checkpoint.origin != origin:
            raise MemoryDamaged(origin)
        return Known(checkpoint.size, checkpoint.root)

    def remember(self, checkpoint: Checkpoint) -> None:
        """Keeps a checkpoint that is about to be cosigned; on disk when it returns."""
        self._blobs.put(_name(checkpoint.origin), checkpoint.text().encode())

    def close(self) -> None:
        """Lets another process use the folder."""
        os.close(self._lock)


def _name(origin: str) -> str:
    # An origin may hold any character; its digest is a name for every store.
    return f"logs/{sha256(origin.encode()).hexdigest()}"
