"""One record's file while the archive is written."""

from __future__ import annotations

import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from typing_extensions import override

from consumers.archive_office.archive_line import BadArchiveLine, event_type, read_line, without_body
from consumers.archive_office.manifest import FileEntry
from consumers.durable_file import write_durably
from ledger.trust.chain import ChainFault, ChainWalk, Link

FOLDER = "records"
_READABLE, _STRIPPED = ".jsonl", ".destroyed.jsonl"


RECORD_DESTROYED = "ledger.v1.RecordDestroyed"


class ArchiveFileChanged(Exception):
    """A file of the archive is not what the manifest says."""

    def __init__(self, file: str, what: str) -> None:
        super().__init__(f"{file}: {what}")
        self.file = file
        self.what = what

    @override
    def __reduce__(self) -> tuple[type[ArchiveFileChanged], tuple[str, str]]:
        """As one process hands it to another."""
        return ArchiveFileChanged, (self.file, self.what)


class RecordFile:
    """Appends lines; knows the digest of what is there, and where the record's chain stands."""

    def __init__(self, archive: Path, stream_id: bytes, entry: FileEntry | None) -> None:
        """Takes the file up where the manifest leaves it, every byte checked; ArchiveFileChanged where it differs."""
        self.file = entry.file if entry else f"{FOLDER}/{UUID(bytes=stream_id)}.jsonl"
        self.chain = ChainWalk(stream_id)
        self._archive = archive
        self._path = archive / self.file
        self._entry = entry
        self._hash = sha256()
        self._events = 0
        self._size = 0
        self._cut = False
        if entry:
            self._take_up(entry)

    def append(self, lines: list[bytes]) -> None:
        """Writes lines; durable after `sync`."""
        if not self._cut:
            self._cut_to_manifest()
        data = b"".join(lines)
        with self._path.open("ab") as file:
            file.write(data)
        self._hash.update(data)
        self._events += len(lines)
        self._size += len(data)

    def sync(self) -> FileEntry:
        """Makes everything appended durable; the entry for the manifest."""
        with self._path.open("ab") as file:
            os.fsync(file.fileno())
        return FileEntry(self.file, self._events, self._size, self._hash.hexdigest(), self.chain.head_leaf.hex())

    def stripped(self, entry: FileEntry) -> FileEntry:
        """The same events without what their bodies said, durably in another file, and that file's entry.

        The destruction keeps its body: it says by which list and by whom. The file that `entry` names stays.
        """
        file = f"{FOLDER}/{UUID(bytes=self.chain.stream_id)}{_STRIPPED}"
        lines = whole_file(self._path, entry).splitlines(keepends=True)
        data = b"".join(each if event_type(each) == RECORD_DESTROYED else without_body(each) for each in lines)
        write_durably(self._archive / file, data)
        return replace(entry, file=file, size=len(data), sha256=sha256(data).hexdigest())

    def _take_up(self, entry: FileEntry) -> None:
        for line in whole_file(self._path, entry).splitlines(keepends=True):
            if fault := _walk_on(self.chain, line):
                raise ArchiveFileChanged(entry.file, f"{fault.kind.value} (version {fault.version})")
            self._hash.update(line)
            self._events += 1
        self._size = entry.size

    def _cut_to_manifest(self) -> None:
        """What lies behind the manifest's size was written by a run that did not come to its end."""
        self._cut = True
        if self._path.exists():
            os.truncate(self._path, self._size)


def remove_readable(archive: Path, entry: FileEntry) -> None:
    """Removes the readable file of a record of which the manifest names a stripped one; it may be gone already."""
    if entry.file.endswith(_STRIPPED):
        (archive / (entry.file.removesuffix(_STRIPPED) + _READABLE)).unlink(missing_ok=True)


def whole_file(path: Path, entry: FileEntry) -> bytes:
    """The bytes of a file up to the manifest's size; ArchiveFileChanged where they are missing or others."""
    if not path.exists():
        raise ArchiveFileChanged(entry.file, "missing")
    with path.open("rb") as file:
        data = file.read(entry.size)
    if sha256(data).hexdigest() != entry.sha256:
        raise ArchiveFileChanged(entry.file, "its SHA-256 is not that of the manifest")
    return data


def _walk_on(chain: ChainWalk, line: bytes) -> ChainFault | None:
    try:
        row = read_line(line)
    except BadArchiveLine as error:
        raise ArchiveFileChanged(str(UUID(bytes=chain.stream_id)), f"no event after version {chain.version}") from error
    return chain.take(Link(row.envelope, row.body, row.position))
