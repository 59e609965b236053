"""The manifest: what an archive holds, with the digest of every file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consumers.durable_file import write_durably

MANIFEST_FORMAT = 1
MANIFEST_NAME = "manifest.json"


class BadManifest(Exception):
    """The archive's manifest cannot be used."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path}: {what}")
        self.path = path
        self.what = what


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One record's file as it should be."""

    file: str
    """Path below the archive's folder."""
    events: int
    size: int
    """Bytes. What lies behind them was being written when the program ended, and does not count."""
    sha256: str
    head_leaf: str
    """Leaf hash of the record's last event, hexadecimal."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """An archive of one hospital's ledger, from position 1 to `head_position`."""

    hospital: str
    origin: str = ""
    """Origin of the ledger; empty before the first event."""
    head_position: int = 0
    digest: str = ""
    """Running digest over every event, hexadecimal, as `ledger.trust.verify.running_digest`."""
    tree_peaks: tuple[str, ...] | None = None
    """The tree over every event, as `ledger.trust.merkle.Frontier` goes on from it, hexadecimal; None where an earlier
    release wrote the manifest."""
    records: Mapping[str, FileEntry] = field(default_factory=dict[str, FileEntry])
    """By record (stream) id, UUID text."""

    @property
    def events(self) -> int:
        """Events in all files."""
        return sum(entry.events for entry in self.records.values())


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of an archive; None where there is none yet; BadManifest for one that cannot be used."""
    path = folder / MANIFEST_NAME
    if not path.exists():
        return None
    try:
        row = json.loads(path.read_bytes())
        if row["format"] != MANIFEST_FORMAT:
            raise BadManifest(path, "written by another release")
        return _manifest(row)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadManifest(path, "not a manifest") from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Puts the manifest in place; everything that it names must be durable already."""
    records = {
        record: {
            "file": entry.file,
            "events": entry.events,
            "size": entry.size,
            "sha256": entry.sha256,
            "head_leaf": entry.head_leaf,
        }
        for record, entry in sorted(manifest.records.items())
    }
    row = {
        "format": MANIFEST_FORMAT,
        "hospital": manifest.hospital,
        "origin": manifest.origin,
        "head_position": manifest.head_position,
        "events": manifest.events,
        "digest": manifest.digest,
        **({} if manifest.tree_peaks is None else {"tree_peaks": list(manifest.tree_peaks)}),
        "records": records,
    }
    write_durably(folder / MANIFEST_NAME, json.dumps(row, indent=1).encode() + b"\n")


def _manifest(row: Any) -> Manifest:
    return Manifest(
        hospital=str(row["hospital"]),
        origin=str(row["origin"]),
        head_position=int(row["head_position"]),
        digest=str(row["digest"]),
        tree_peaks=tuple(map(str, row["tree_peaks"])) if "tree_peaks" in row else None,
        records={str(record): _entry(entry) for record, entry in row["records"].items()},
    )


def _entry(row: Any) -> FileEntry:
    return FileEntry(
        file=str(row["file"]),
        events=int(row["events"]),
        size=int(row["size"]),
        sha256=str(row["sha256"]),
        head_leaf=str(row["head_leaf"]),
    )
