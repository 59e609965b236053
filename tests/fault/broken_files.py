"""File operations of the directory store that fail, or kill their process, at a chosen one."""

from __future__ import annotations

import errno
import os
import re
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from ledger.blobs import directory

_NUMBERS = re.compile(r"[0-9a-f]{8,}|[0-9]+")
_COUNTED = ("open", "fsync", "rename", "link", "unlink", "mkdir")


class BrokenOs:
    """Stands for `os` in the store: counts what goes to the file system, and breaks at one operation."""

    def __init__(self, at: int | tuple[str, int], break_off: Callable[[], None]) -> None:
        """`at` counts every operation from 1, 0 breaks nothing; or those of one kind, of which other runs wait less or
        more often for something else. `break_off` raises or does not return.
        """
        self.count = 0
        self.kinds: list[str] = []
        """What each operation was: its name, and the kind of file that it or the one before it named."""
        self._at = at
        self._break_off = break_off
        self._os = directory.os

    def __getattr__(self, name: str) -> Any:
        """A function of `os`, counted where it touches files."""
        real = getattr(self._os, name)
        if name == "fdopen":
            return self._fdopen
        if name not in _COUNTED:
            return real

        def counted(*arguments: Any, **named: Any) -> Any:
            # Folders are walked before every operation; only what reads or changes files is broken off.
            if name != "open" or not arguments[1] & os.O_DIRECTORY:
                self._step(name, arguments)
            return real(*arguments, **named)

        return counted

    def _fdopen(self, descriptor: int, mode: str, **named: Any) -> Any:
        return _File(os.fdopen(descriptor, mode, **named), self)

    def _step(self, name: str, arguments: tuple[Any, ...]) -> None:
        self._note(name, next((str(each) for each in reversed(arguments) if isinstance(each, str | Path)), ""))
        if self._is_due():
            self._break_off()

    def _is_due(self) -> bool:
        if isinstance(self._at, int):
            return self.count == self._at
        kind, number = self._at
        return self.kinds[-1] == kind and self.kinds.count(kind) == number

    def _note(self, name: str, path: str) -> None:
        self.count += 1
        before = self.kinds[-1].partition(" ")[2] if self.kinds else ""
        self.kinds.append(f"{name} {_NUMBERS.sub('#', path.rpartition('/log/')[2] or path) if path else before}")

    def write(self, file: BinaryIO, data: bytes) -> None:
        """A write that breaks leaves half of the bytes behind."""
        self._note("write", "")
        if self._is_due():
            file.write(data[: len(data) // 2])
            file.flush()
            self._break_off()
        file.write(data)


class _File:
    """An open file whose writes count."""

    def __init__(self, file: Any, broken: BrokenOs) -> None:
        self._file = file
        self._broken = broken

    def __enter__(self) -> _File:
        self._file.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._file.__exit__(*error)

    def write(self, data: bytes) -> None:
        self._broken.write(self._file, data)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def flush(self) -> None:
        self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()


def fail() -> None:
    """As a disk does that gives up."""
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def die() -> None:
    """kill -9 of this very process."""
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def broken_files(at: int, break_off: Callable[[], None]) -> Generator[BrokenOs]:
    """The store's file operations break at one while the block runs."""
    with pytest.MonkeyPatch.context() as patch:
        broken = BrokenOs(at, break_off)
        patch.setattr("ledger.blobs.directory.os", broken)
        yield broken


@contextmanager
def unsynced() -> Generator[None]:
    """Nothing is synced while the block runs; what breaks in it is counted all the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ledger.blobs.directory.os", _Unsynced())
        yield


class _Unsynced:
    def __getattr__(self, name: str) -> Any:
        return _no_sync if name == "fsync" else getattr(os, name)


def _no_sync(_: int) -> None:
    pass


def in_a_child(work: Callable[[], object]) -> int:
    """Runs `work` in a process of its own; the signal that ended it, 0 where it came to its end."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status)
