"""The verifier keys of this service's logs in one public file: by it those who sign nothing know a head of ours.

A key stands there before it signs for the first time and stays while anything that it signed counts; a log may have
several. The file is no secret, but who can change it can pass off a log of their own: others must not write it.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ledger.log.log_files import LogDamaged
from ledger.trust.format_fault import KeyFault
from ledger.trust.note_key import KeyKind, VerifierKey, parse_verifier_key

FILE_NAME = "verifiers"
"""Inside the folder of note keys, where nothing else is said."""
_BYTES_MAX = 1 << 20
_LOCK_SECONDS_MAX = 5.0
_LOCK_PAUSE_SECONDS = 0.01
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_HEADER = "# Verifier keys of this service's logs, one a line; public. Written by `ledger integrate` and `keys new`.\n"


class LogVerifiers:
    """The keys of one file, read again whenever it was written. Every call blocks."""

    def __init__(self, file: Path) -> None:
        """Nothing is read before it is needed; a file that is not there yet holds no keys."""
        self._file = file
        self._read: tuple[object, dict[str, list[VerifierKey]]] = (None, {})

    def __call__(self, origin: str) -> Sequence[VerifierKey]:
        """The keys of a log, none where it has none here. LogDamaged for a file that cannot be believed."""
        return self._by_origin().get(origin, ())

    def all(self) -> tuple[VerifierKey, ...]:
        """Those of every log. LogDamaged as above."""
        return tuple(key for keys in self._by_origin().values() for key in keys)

    def _by_origin(self) -> Mapping[str, Sequence[VerifierKey]]:
        try:
            seen = _identity(self._file.lstat())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise _damaged(f"cannot be read ({error.strerror})") from None
        if seen != self._read[0]:
            self._read = (seen, _by_origin(_content(self._file)))
        return self._read[1]

    def add(self, key: VerifierKey) -> None:
        """Puts a key into the file, on disk when it returns; nothing where it stands there. LogDamaged, OSError."""
        if key in self(key.name):
            return
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(self._file):
            before = _content(self._file) if self._file.exists() else _HEADER
            if str(key) not in before.splitlines():
                _replace(self._file, before.removesuffix("\n") + f"\n{key}\n")


@contextmanager
def _locked(file: Path) -> Generator[None]:
    """Other writers add one line each, so they are waited for, but not for ever."""
    limit = time.monotonic() + _LOCK_SECONDS_MAX
    with file.with_name(file.name + ".lock").open("a") as held:
        while True:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > limit:
                    raise _damaged("is being changed by another program") from None
                time.sleep(_LOCK_PAUSE_SECONDS)
        yield


def _by_origin(text: str) -> dict[str, list[VerifierKey]]:
    found: dict[str, list[VerifierKey]] = {}
    faults: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            key = parse_verifier_key(line.strip())
        except KeyFault as fault:
            faults.append(f"line {number}: {'; '.join(fault.faults)}")
            continue
        if key.kind is not KeyKind.ED25519:
            faults.append(f"line {number}: a witness's key, not a log's")
        found.setdefault(key.name, []).append(key)
    if faults:
        raise _damaged("; ".join(faults))
    return found


def _content(file: Path) -> str:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as opened:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_mode & _OTHERS_WRITE:
                raise _damaged("not a regular file that its owner alone may write")
            data = opened.read(_BYTES_MAX + 1)
    except OSError as error:
        raise _damaged(f"cannot be read ({error.strerror})") from None
    if len(data) > _BYTES_MAX:
        raise _damaged("more than 1 MiB")
    return data.decode("utf-8", "replace")


def _replace(file: Path, text: str) -> None:
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644), "wb") as out:
        out.write(text.encode())
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return found.st_ino, found.st_size, found.st_mtime_ns


def _damaged(what: str) -> LogDamaged:
    return LogDamaged(FILE_NAME, f"{what} (LEDGER_LOG_VERIFIERS)")
