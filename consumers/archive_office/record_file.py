"""One record's file while the archive is written."""

import os
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from consumers.archive_office.archive_line import BadArchiveLine, read_line
from consumers.archive_office.manifest import FileEntry
from ledger.trust.chain import ChainFault, ChainWalk, Link

FOLDER = "records"


class ArchiveFileChanged(Exception):
    """A file of the archive is not what the manifest says."""

    def __init__(self, file: str, what: str) -> None:
        super().__init__(f"{file}: {what}")
        self.file = file
        self.what = what


class RecordFile:
    """Appends lines; knows the digest of what is there, and where the record's chain stands."""

    def __init__(self, archive: Path, stream_id: bytes, entry: FileEntry | None) -> None:
        """Takes the file up where the manifest leaves it, every byte checked; ArchiveFileChanged where it differs."""
        self.file = entry.file if entry else f"{FOLDER}/{UUID(bytes=stream_id)}.jsonl"
        self.chain = ChainWalk(stream_id)
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
