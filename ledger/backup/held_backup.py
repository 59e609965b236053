"""A backup as it lies there: whole, byte for byte what its manifest says, or refused with every fault by name."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from ledger.backup.faults import BadBackup
from ledger.backup.manifest import MANIFEST, MANIFEST_BYTES_MAX, FileDigest, Manifest, Table, parse_manifest
from ledger.trust.range_walk import Progress, no_progress

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class HeldBackup:
    """A backup whose every file has its digest."""

    folder: Path
    manifest: Manifest

    @contextmanager
    def open(self, name: str) -> Generator[BinaryIO]:
        """One of its files."""
        with opened_file(self.folder, name) as file:
            yield file

    def rows(self, schema: str, name: str) -> Table:
        """The table of this name; BadBackup where it lacks."""
        for each in self.manifest.tables:
            if (each.schema, each.name) == (schema, name):
                return each
        raise BadBackup([f"{MANIFEST}: no table {schema}.{name}"])


def held_backup(folder: Path, kind: str, progress: Progress = no_progress) -> HeldBackup:
    """The backup of this kind in a folder, all of its bytes hashed, which `progress` counts. BadBackup names every
    fault.
    """
    manifest = parse_manifest(_manifest_bytes(folder), kind)
    present = set(_names(folder))
    faults = [f"{name}: not of this backup" for name in sorted(present - manifest.files.keys())]
    hashing = _Hashing(sum(each.size for each in manifest.files.values()), progress)
    for name, wanted in manifest.files.items():
        if fault := _fault(folder, name, wanted, present, hashing):
            faults.append(fault)
    faults += [
        f"{each.file}: the rows of {each.schema}.{each.name}, but not among its files"
        for each in manifest.tables
        if each.file not in manifest.files
    ]
    if faults:
        raise BadBackup(faults)
    return HeldBackup(folder, manifest)


def _manifest_bytes(folder: Path) -> bytes:
    try:
        with opened_file(folder, MANIFEST) as file:
            data = file.read(MANIFEST_BYTES_MAX + 1)
    except FileNotFoundError:
        raise BadBackup([f"{folder / MANIFEST}: missing; the backup was cut off, or this is none"]) from None
    except OSError as error:
        raise BadBackup([f"{folder / MANIFEST}: {error.strerror}"]) from None
    if len(data) > MANIFEST_BYTES_MAX:
        raise BadBackup([f"{folder / MANIFEST}: more than {MANIFEST_BYTES_MAX} bytes"])
    return data


def _names(folder: Path) -> Iterator[str]:
    for level, folders, files in os.walk(folder):
        links = [each for each in folders if (Path(level) / each).is_symlink()]
        for name in [*files, *links]:
            path = str((Path(level) / name).relative_to(folder))
            if path != MANIFEST:
                yield path


def _fault(folder: Path, name: str, wanted: FileDigest, present: set[str], hashing: _Hashing) -> str:
    if name not in present:
        return f"{name}: missing"
    try:
        with opened_file(folder, name) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                return f"{name}: not a regular file"
            if found.st_size != wanted.size:
                return f"{name}: {found.st_size} bytes, not {wanted.size}"
            return "" if hashing.digest(file) == wanted.sha256 else f"{name}: altered"
    except OSError as error:
        return f"{name}: {error.strerror}"


@dataclass
class _Hashing:
    """Digests of files, and how far they have come."""

    bytes_in_all: int
    progress: Progress
    done: int = 0

    def digest(self, file: BinaryIO) -> str:
        digest = sha256()
        while part := file.read(_CHUNK):
            digest.update(part)
            self.done += len(part)
            self.progress(self.done, self.bytes_in_all)
        return digest.hexdigest()


@contextmanager
def opened_file(folder: Path, name: str) -> Generator[BinaryIO]:
    """A file of a backup, no link followed. OSError."""
    with os.fdopen(os.open(folder / name, _READ), "rb") as file:
        yield file
