"""A backup while it is written: every file on disk before its digest is noted, the manifest after all of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from typing_extensions import Buffer

from ledger.backup.faults import BackupRefused
from ledger.backup.manifest import MANIFEST, FileDigest, Manifest
from ledger.blobs.contract import Blobs
from ledger.blobs.directory import DirectoryBlobs, make_folder

LOG = "log"
"""Below it the files of the logs, as a blob store keeps them: `ledger verify log` reads them where they lie."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class NewBackup:
    """A folder of our own that was empty; nobody else may look into it. OSError where it cannot be written."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder. BackupRefused where something lies in it."""
        self.folder = folder
        self._digests: dict[str, FileDigest] = {}
        if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
            raise BackupRefused([f"{folder}: not an empty folder; a backup that was cut off is removed by hand"])
        make_folder(folder)
        folder.chmod(0o700)

    def write(self, name: str, parts: Iterable[Buffer]) -> None:
        """One file of this name below the folder, durable when this returns."""
        path = self.folder / name
        for level in reversed(path.relative_to(self.folder).parents[:-1]):
            (self.folder / level).mkdir(mode=0o700, exist_ok=True)
        size, digest = 0, sha256()
        with os.fdopen(os.open(path, _NEW, 0o600), "wb") as file:
            for part in parts:
                digest.update(part)
                size += memoryview(part).nbytes
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        self._digests[name] = FileDigest(size, digest.hexdigest())

    def log_store(self) -> Blobs:
        """Where the files of the logs go; each that is put there is noted."""
        return _NotedBlobs(DirectoryBlobs(self.folder / LOG), self._digests)

    def finish(self, manifest: Manifest) -> Manifest:
        """Makes it a whole backup: all names on disk, then the manifest, then its name."""
        for folder, _, _ in os.walk(self.folder):
            _sync_folder(Path(folder))
        made = replace(manifest, files=dict(sorted(self._digests.items())))
        part = self.folder / f"{MANIFEST}.part"
        with os.fdopen(os.open(part, _NEW, 0o600), "wb") as file:
            file.write(made.encode())
            file.flush()
            os.fsync(file.fileno())
        part.rename(self.folder / MANIFEST)
        _sync_folder(self.folder)
        _sync_folder(self.folder.parent)
        return made


class _NotedBlobs:
    """Notes the digest of what passes through."""

    def __init__(self, blobs: Blobs, digests: dict[str, FileDigest]) -> None:
        self._blobs = blobs
        self._digests = digests

    def get(self, name: str) -> bytes | None:
        return self._blobs.get(name)

    def put_if_absent(self, blobs: Mapping[str, bytes]) -> None:
        self._blobs.put_if_absent(blobs)
        for name, data in blobs.items():
            self._note(name, data)

    def put(self, name: str, data: bytes) -> None:
        self._blobs.put(name, data)
        self._note(name, data)

    def names(self, prefix: str) -> list[str]:
        return self._blobs.names(prefix)

    def delete(self, name: str) -> None:
        self._blobs.delete(name)
        self._digests.pop(f"{LOG}/{name}", None)

    def _note(self, name: str, data: bytes) -> None:
        self._digests[f"{LOG}/{name}"] = FileDigest(len(data), sha256(data).hexdigest())


def refuse_inside(keys: Path, folder: Path) -> None:
    """BackupRefused where keys and events would lie in one tree: who copies the one would copy the other."""
    one, other = keys.resolve(), folder.resolve()
    if one.is_relative_to(other) or other.is_relative_to(one):
        raise BackupRefused([f"{keys} and {folder}: keys lie apart from events, neither folder inside the other"])


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
