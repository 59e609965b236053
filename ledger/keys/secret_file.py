"""Files that hold secrets: readable by their owner alone, or refused; written whole or not at all."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ledger.keys.errors import KeyFileUnusable
from ledger.keys.private_file import UnsafeFile, read_private

_SECRET_BYTES_MAX = 1 << 20


def read_secret(file: Path) -> bytes:
    """The file's bytes. KeyFileUnusable: missing, empty, above 1 MiB, or one that others could read or exchange."""
    try:
        data = read_private(file, bytes_max=_SECRET_BYTES_MAX)
    except UnsafeFile as unsafe:
        raise KeyFileUnusable(file, "; ".join(unsafe.faults)) from None
    except OSError as error:
        raise KeyFileUnusable(file, f"cannot be opened ({error.strerror})") from None
    if not data:
        raise KeyFileUnusable(file, "is empty")
    return data


def read_line_secret(file: Path) -> bytes:
    """The one line of a file: a passphrase, a token. Raises as `read_secret`."""
    line = read_secret(file).strip(b"\r\n")
    if not line or b"\n" in line:
        raise KeyFileUnusable(file, "does not hold exactly one line")
    return line


@contextmanager
def lock_beside(file: Path) -> Generator[None]:
    """Keeps other programs from changing the file meanwhile. KeyFileUnusable where one is changing it now."""
    with (file.with_name(file.name + ".lock")).open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise KeyFileUnusable(file, "is being changed by another program") from None
        yield


def write_secret(file: Path, data: bytes, *, new: bool = False) -> None:
    """Writes the file durably with mode 0600; with `new` it must not exist yet. KeyFileUnusable otherwise."""
    beside = file.with_name(file.name + ".part")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    try:
        if new:
            os.link(beside, file)  # unlike a rename, it never replaces what another process has just made
            beside.unlink()
        else:
            beside.replace(file)
    except FileExistsError:
        beside.unlink()
        raise KeyFileUnusable(file, "exists already") from None
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
