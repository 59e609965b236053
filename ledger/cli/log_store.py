"""Where the logs' files lie: the one place where the adapter of the blob port is chosen."""

from __future__ import annotations

from pathlib import Path

from ledger.blobs.contract import Blobs
from ledger.blobs.directory import DirectoryBlobs
from ledger.config import Settings


def log_blobs(settings: Settings) -> Blobs:
    """The store of the settings. Nothing is opened before it is needed."""
    return DirectoryBlobs(Path(settings.blobs) if settings.blobs else settings.data_dir / "log")
