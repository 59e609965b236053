"""Files that hold a secret: no symbolic link, ours alone, and small."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class UnsafeFile(Exception):
    """The file could have been read or exchanged by somebody else, or is no file."""

    def __init__(self, path: Path, *faults: str) -> None:
        super().__init__(f"{path}: {'; '.join(faults)}")
        self.path = path
        self.faults = faults


def read_private(path: Path, *, bytes_max: int) -> bytes:
    """The content of a file of our own that nobody else may read or write; UnsafeFile names every fault.

    OSError where it cannot be opened. What is checked is the opened file, not the name, which may change meanwhile.
    """
    if path.is_symlink():
        raise UnsafeFile(path, "a symbolic link")
    # O_NOFOLLOW closes the moment between the look and the opening; O_NONBLOCK keeps a pipe from holding us.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        faults = _faults_of(os.fstat(descriptor), bytes_max)
        if faults:
            raise UnsafeFile(path, *faults)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(bytes_max + 1)
    finally:
        os.close(descriptor)
    if len(data) > bytes_max:
        raise UnsafeFile(path, f"more than {bytes_max} bytes")
    return data


def write_private(path: Path, data: bytes) -> None:
    """Writes a new file that only its owner reads, and its name, to disk; FileExistsError where the name is taken.

    It gets its name once it is whole: what a kill leaves is a `.part`, which the next one of that name writes over.
    UnsafeFile where somebody else could read that.
    """
    part = path.with_name(f"{path.name}.part")
    descriptor = _opened_part(part)
    with os.fdopen(descriptor, "wb") as file:
        try:
            os.ftruncate(descriptor, 0)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
            os.link(part, path)
        finally:
            part.unlink(missing_ok=True)
    sync_folder(path.parent)


def _opened_part(part: Path) -> int:
    """A part of ours alone, be it a dead writer's. One that has a second name was whole when its writer died: it is the
    file that he wrote, wherever that was moved since, and only its first name is taken away.
    """
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        _require_alone(descriptor, part)
        if _is_once(descriptor, part):
            return descriptor
        part.unlink()
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return _opened_part(part)


def _is_once(descriptor: int, part: Path) -> bool:
    """Whether the part is the file's one name. UnsafeFile."""
    found = os.fstat(descriptor)
    if faults := _faults_of(found, found.st_size):
        raise UnsafeFile(part, *faults)
    return found.st_nlink == 1


def _require_alone(descriptor: int, part: Path) -> None:
    """Raises FileExistsError where another process is writing this very file, or has just put it in place."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours = os.path.samestat(os.fstat(descriptor), part.stat())
    except (BlockingIOError, FileNotFoundError):
        ours = False
    if not ours:
        raise FileExistsError(errno.EEXIST, "another process is writing it", str(part))


def sync_folder(folder: Path) -> None:
    """Puts the names in a folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _faults_of(found: os.stat_result, bytes_max: int) -> list[str]:
    checks = (
        (stat.S_ISREG(found.st_mode), "not a regular file"),
        (not found.st_mode & _OTHERS, "others may read or write it (chmod 600)"),
        (found.st_uid == os.geteuid(), "it belongs to another user"),
        (found.st_size <= bytes_max, f"more than {bytes_max} bytes"),
    )
    return [fault for holds, fault in checks if not holds]
