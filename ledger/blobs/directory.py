"""Blobs as files of one folder. Names are walked folder by folder without following a symbolic link."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ledger.blobs.contract import (
    BLOB_BYTES_MAX,
    NAMES_MAX,
    BlobDiffers,
    BlobsUnavailable,
    BlobTooLarge,
    TooManyBlobs,
    checked_name,
    checked_size,
)

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FLUSHED_MAX = 10_000
"""So many folders are known to be on disk; then they are flushed again."""
_PART = ".part-"
"""How the name of a file begins that is being written; no blob's does, so one left by a kill is never taken for one."""


class DirectoryBlobs:
    """A store in a folder, which is made where it is missing."""

    def __init__(self, root: Path) -> None:
        """Nothing is read or made before it is needed."""
        self._root = root
        self._flushed: set[str] = set()

    def get(self, name: str) -> bytes | None:
        """As the contract says."""
        folder, _, leaf = checked_name(name).rpartition("/")
        with _failures(name), ExitStack() as held:
            try:
                descriptor = os.open(leaf, _READ, dir_fd=_entered(held, self._root, folder))
            except FileNotFoundError:
                return None
            with os.fdopen(descriptor, "rb") as file:
                found = os.fstat(descriptor)
                if not stat.S_ISREG(found.st_mode):
                    raise BlobsUnavailable(f"{name}: not a regular file")
                if found.st_size > BLOB_BYTES_MAX:
                    raise BlobTooLarge(name)
                return file.read(BLOB_BYTES_MAX)

    def put_if_absent(self, blobs: Mapping[str, bytes]) -> None:
        """As the contract says; each folder is flushed once."""
        by_folder: dict[str, dict[str, bytes]] = {}
        for name, data in blobs.items():
            folder, _, leaf = checked_name(name).rpartition("/")
            checked_size(name, data)
            by_folder.setdefault(folder, {})[leaf] = data
        for folder, files in by_folder.items():
            with _failures(folder), ExitStack() as held:
                descriptor = self._made(held, folder)
                for leaf, data in files.items():
                    if not _linked(descriptor, leaf, data) and self.get(_joined(folder, leaf)) != data:
                        raise BlobDiffers(_joined(folder, leaf))
                # Also where nothing is new: whoever wrote it may have died before this.
                os.fsync(descriptor)

    def put(self, name: str, data: bytes) -> None:
        """As the contract says."""
        folder, _, leaf = checked_name(name).rpartition("/")
        checked_size(name, data)
        with _failures(name), ExitStack() as held:
            descriptor = self._made(held, folder)
            part = _written(descriptor, data)
            _in_place(descriptor, part, leaf)
            os.fsync(descriptor)

    def names(self, prefix: str) -> list[str]:
        """As the contract says."""
        found: list[str] = []
        waiting = [checked_name(prefix)]
        while waiting:
            folder = waiting.pop()
            with _failures(folder):
                files, folders = self._entries(folder)
            found += files
            waiting += folders
            if len(found) > NAMES_MAX:
                raise TooManyBlobs(prefix)
        return sorted(found)

    def delete(self, name: str) -> None:
        """As the contract says."""
        folder, _, leaf = checked_name(name).rpartition("/")
        with _failures(name), ExitStack() as held:
            try:
                descriptor = _entered(held, self._root, folder)
                os.unlink(leaf, dir_fd=descriptor)
            except FileNotFoundError:
                return
            os.fsync(descriptor)

    def _made(self, held: ExitStack, folder: str) -> int:
        """The descriptor of a folder, made where it is missing; the way to it is on disk after its first use here.

        A folder that is there may be one whose maker died before it was flushed.
        """
        if "" not in self._flushed or not self._root.is_dir():
            make_folder(self._root)
            self._flushed = {""}
        descriptor = _held(held, os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        way = ""
        for part in filter(None, folder.split("/")):
            way = f"{way}/{part}"
            above = descriptor
            try:
                below = os.open(part, _FOLDER, dir_fd=above)
            except FileNotFoundError:
                below = _new_folder(above, part)
                self._flushed.discard(way)
            descriptor = _held(held, below)
            if way not in self._flushed:
                os.fsync(above)
                self._flushed.add(way)
        if len(self._flushed) > _FLUSHED_MAX:
            self._flushed.clear()
        return descriptor

    def _entries(self, folder: str) -> tuple[list[str], list[str]]:
        """The blobs and the folders in a folder."""
        with ExitStack() as held:
            try:
                descriptor = _entered(held, self._root, folder)
            except FileNotFoundError:
                return [], []
            with os.scandir(descriptor) as entries:
                seen = [each for each in entries if not each.name.startswith(".")]
            files = [f"{folder}/{each.name}" for each in seen if each.is_file(follow_symlinks=False)]
            folders = [f"{folder}/{each.name}" for each in seen if each.is_dir(follow_symlinks=False)]
            return files, folders


@contextmanager
def _failures(what: str) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise BlobsUnavailable(f"{what}: {error.strerror}") from error


def _joined(folder: str, leaf: str) -> str:
    return f"{folder}/{leaf}" if folder else leaf


def _entered(held: ExitStack, root: Path, folder: str) -> int:
    """The descriptor of a folder that is there. Only the root itself may be reached over a link."""
    descriptor = _held(held, os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    for part in filter(None, folder.split("/")):
        descriptor = _held(held, os.open(part, _FOLDER, dir_fd=descriptor))
    return descriptor


def make_folder(root: Path) -> None:
    """Makes a folder with all above it; the way to it is on disk when this returns."""
    missing = [each for each in (root, *root.parents) if not each.is_dir()]
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in dict.fromkeys([*(each.parent for each in missing), root.parent]):
        # A parent that may be passed but not read is somebody else's, and was there before.
        with suppress(PermissionError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _new_folder(above: int, name: str) -> int:
    # Another process may be faster.
    with suppress(FileExistsError):
        os.mkdir(name, mode=0o700, dir_fd=above)
    return os.open(name, _FOLDER, dir_fd=above)


def _held(held: ExitStack, descriptor: int) -> int:
    held.callback(os.close, descriptor)
    return descriptor


def _written(folder: int, data: bytes) -> str:
    """A file beside, whole and on disk, under a name that no other writer takes."""
    part = f"{_PART}{secrets.token_hex(8)}"
    descriptor = os.open(part, _WRITE, 0o600, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
    except OSError:
        os.unlink(part, dir_fd=folder)
        raise
    return part


def _in_place(folder: int, part: str, leaf: str) -> None:
    try:
        os.rename(part, leaf, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        os.unlink(part, dir_fd=folder)
        raise


def _linked(folder: int, leaf: str, data: bytes) -> bool:
    """Whether the file was made; False where the name was taken. A link, unlike a rename, takes no name over."""
    try:
        os.stat(leaf, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        part = _written(folder, data)
    else:
        return False
    try:
        os.link(part, leaf, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        return False
    finally:
        os.unlink(part, dir_fd=folder)
    return True
