"""The files of an archive, and the manifest that makes them count."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from consumers.archive_office.archive_line import archive_line
from consumers.archive_office.manifest import (
    MANIFEST_NAME,
    BadManifest,
    FileEntry,
    Manifest,
    read_manifest,
    write_manifest,
)
from consumers.archive_office.record_file import FOLDER, RECORD_DESTROYED, RecordFile, remove_readable
from consumers.durable_file import sync_folder
from ledger.api.v1.stream_pb2 import StoredEvent
from ledger.trust.chain import ChainWalk
from ledger.trust.envelope import decode
from ledger.trust.sealing import Opening


class Shelf:
    """One hospital's archive while it is written. Memory grows with the records touched, not with events."""

    def __init__(self, folder: Path, hospital: str) -> None:
        """BadManifest where the folder belongs to another hospital, or its manifest cannot be read."""
        (folder / FOLDER).mkdir(parents=True, exist_ok=True, mode=0o700)
        self.manifest = read_manifest(folder) or Manifest(hospital)
        if self.manifest.hospital != hospital:
            raise BadManifest(folder / MANIFEST_NAME, f"the archive of {self.manifest.hospital}")
        self._folder = folder
        self._files: dict[bytes, RecordFile] = {}
        self._touched: set[bytes] = set()
        self._destroyed: set[bytes] = set()
        for entry in self.manifest.records.values():  # a kill may have come between manifest and removal
            remove_readable(folder, entry)

    def chain_of(self, stream_id: bytes) -> ChainWalk:
        """Where a record's chain stands in the archive; ArchiveFileChanged where its file is not what it was."""
        return self._file(stream_id).chain

    def put(self, events: Iterable[tuple[StoredEvent, Opening]]) -> None:
        """Adds events that were checked; they count from the next `commit` on."""
        lines: defaultdict[bytes, list[bytes]] = defaultdict(list)
        for event, opening in events:
            envelope = decode(event.envelope)
            lines[envelope.stream_id].append(archive_line(event, opening))
            if envelope.type == RECORD_DESTROYED:
                self._destroyed.add(envelope.stream_id)
        for stream_id, new in lines.items():
            self._file(stream_id).append(new)
        self._touched.update(lines)

    def commit(self, origin: str, head_position: int, digest: bytes, tree_peaks: Sequence[bytes]) -> None:
        """Makes everything put so far durable, then says so in the manifest; then what is destroyed goes."""
        entries = {str(UUID(bytes=stream_id)): self._entry(stream_id) for stream_id in self._touched}
        sync_folder(self._folder / FOLDER)
        self.manifest = replace(
            self.manifest,
            origin=origin,
            head_position=head_position,
            digest=digest.hex(),
            tree_peaks=tuple(peak.hex() for peak in tree_peaks),
            records={**self.manifest.records, **entries},
        )
        write_manifest(self._folder, self.manifest)
        for stream_id in self._destroyed:
            remove_readable(self._folder, entries[str(UUID(bytes=stream_id))])
            del self._files[stream_id]
        self._touched.clear()
        self._destroyed.clear()

    def _entry(self, stream_id: bytes) -> FileEntry:
        file = self._file(stream_id)
        entry = file.sync()
        return file.stripped(entry) if stream_id in self._destroyed else entry

    def _file(self, stream_id: bytes) -> RecordFile:
        if stream_id not in self._files:
            entry = self.manifest.records.get(str(UUID(bytes=stream_id)))
            self._files[stream_id] = RecordFile(self._folder, stream_id, entry)
        return self._files[stream_id]
