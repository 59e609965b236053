"""Files that survive a kill and a power cut: written beside, flushed, then put in place."""

import os
from pathlib import Path


def write_durably(path: Path, data: bytes) -> None:
    """Puts `data` at `path`: afterwards it is there for good, and at no moment is there a part of it."""
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def append_durably(path: Path, data: bytes) -> None:
    """Adds `data` at the end of `path` for good. A kill may leave a part of it: readers take whole lines only."""
    with path.open("ab") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes new names in the folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
