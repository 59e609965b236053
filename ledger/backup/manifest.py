"""The manifest: what a backup holds, with the digest of every file. It is written last: without it there is none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ledger.backup.faults import BadBackup
from ledger.backup.strict_object import StrictObject
from ledger.log.log_files import log_folder
from ledger.trust.lineage import with_ended

FORMAT = 1
MANIFEST = "manifest.json"
MANIFEST_BYTES_MAX = 256 << 20
EVENTS, KEYS = "events", "keys"


@dataclass(frozen=True, slots=True)
class FileDigest:
    """What a file must be."""

    size: int
    """Bytes."""
    sha256: str
    """Hexadecimal."""


@dataclass(frozen=True, slots=True)
class LogHead:
    """The newest head of a hospital's log among the files of the backup."""

    size: int
    root: str
    """Hexadecimal."""
    key: str
    """The log's verifier keys, a space between two while one follows another; empty where none was known."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """One hospital's ledger."""

    hospital: str
    origin: str
    schema_version: int
    head_position: int
    head_leaf: str
    """Leaf hash of the last event, hexadecimal; empty for a ledger without events."""
    log: LogHead | None
    """None where nothing was signed yet."""

    @property
    def log_folder(self) -> str:
        """Where the files of its present log lie."""
        return log_folder(self.hospital, self.origin)

    @property
    def ended_folders(self) -> tuple[str, ...]:
        """Where the logs lie that ended before it, the newest first."""
        return tuple(log_folder(self.hospital, origin) for origin in with_ended(self.origin)[1:])


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one table, in PostgreSQL's binary COPY format."""

    schema: str
    name: str
    columns: tuple[str, ...]
    file: str
    """Path below the backup's folder."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole backup."""

    kind: str
    """EVENTS or KEYS; a folder holds one of the two."""
    release: str
    taken_at: str
    """ISO 8601, by the clock of the program that took it; says nothing of what lies in it."""
    stream: str
    """What carried the published stream: `kafka` or `postgres`."""
    control_version: int
    """Schema version of the registry."""
    ledgers: tuple[Ledger, ...]
    tables: tuple[Table, ...]
    files: Mapping[str, FileDigest]
    """Every file but the manifest, by its path below the folder."""

    def encode(self) -> bytes:
        """As it is written."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, sort_keys=True).encode() + b"\n"


def parse_manifest(data: bytes, kind: str) -> Manifest:
    """The manifest of a backup of this kind; BadBackup names every fault."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise BadBackup([f"{MANIFEST}: not JSON, or cut short"]) from None
    whole = StrictObject(found, MANIFEST)
    if whole.integer("format") != FORMAT:
        raise BadBackup([f"{MANIFEST}: of another format, or no manifest"])
    made = Manifest(
        kind=whole.one_of("kind", kind),
        release=whole.text("release"),
        taken_at=whole.text("taken_at"),
        stream=whole.one_of("stream", "kafka", "postgres"),
        control_version=whole.integer("control_version"),
        ledgers=tuple(_ledger(each) for each in whole.objects("ledgers")),
        tables=tuple(_table(each) for each in whole.objects("tables")),
        files={name: _file(each) for name, each in whole.named_objects("files").items()},
    )
    if faults := whole.end():
        raise BadBackup(faults)
    return made


def _ledger(row: StrictObject) -> Ledger:
    log = row.object_or_none("log")
    return Ledger(
        hospital=row.text("hospital", r"[a-z][a-z0-9-]{1,30}"),
        origin=row.text("origin"),
        schema_version=row.integer("schema_version"),
        head_position=row.integer("head_position"),
        head_leaf=row.text("head_leaf", r"([0-9a-f]{64})?"),
        log=log and LogHead(log.integer("size"), log.text("root", r"[0-9a-f]{64}"), log.text("key", r".*")),
    )


def _table(row: StrictObject) -> Table:
    return Table(schema=row.text("schema"), name=row.text("name"), columns=row.texts("columns"), file=row.text("file"))


def _file(row: StrictObject) -> FileDigest:
    return FileDigest(row.integer("size"), row.text("sha256", r"[0-9a-f]{64}"))
