"""The part of a backup that opens records: never in one tree with the events, and never with its passphrases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ledger.backup.binary_rows import binary_rows
from ledger.backup.faults import BackupRefused, BadBackup
from ledger.backup.held_backup import HeldBackup
from ledger.backup.new_backup import NewBackup
from ledger.backup.stored_rows import KEYS
from ledger.keys.key_file import KeyFile
from ledger.keys.key_folder import KeyFolder
from ledger.keys.private_file import read_private
from ledger.keys.secret_file import lock_beside, read_secret
from ledger.keys.wrapping import KeyPlace, Wrapped, unwrap
from ledger.trust.note_key import KeyKind
from ledger.trust.sealed_key import SEALED_KEY_BYTES_MAX

KEY_FILE = "key-encryption-keys.json"
NOTE_KEYS = "note-keys"


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """The files of keys of a service, each sealed under a passphrase that is not among them."""

    encryption: Path | None
    """The key-encryption keys (LEDGER_KEY_FILE)."""
    note_keys: Path
    """Folder of the logs' note keys."""


def write_key_files(backup: NewBackup, files: KeyFiles, signed: Mapping[str, bool]) -> None:
    """Copies them as they lie there; `signed`: by origin whether its log was ever signed, and so has a key.

    BackupRefused without key-encryption keys or the note key of such a log, KeyFileUnusable, UnsafeFile.
    """
    if files.encryption is None:
        raise BackupRefused(["LEDGER_KEY_FILE: missing: file of the key-encryption keys"])
    found = {origin: KeyFolder(files.note_keys).signing_paths(origin, KeyKind.ED25519) for origin in signed}
    # A ledger without an event has no log and no key yet.
    if lacking := [origin for origin, paths in found.items() if signed[origin] and not paths]:
        where = f"its log is signed, and its note key does not lie in {files.note_keys} (LEDGER_LOG_KEYS)"
        raise BackupRefused([f"{origin}: {where}" for origin in lacking])
    with lock_beside(files.encryption):
        backup.write(KEY_FILE, [read_secret(files.encryption)])
    for path in (path for paths in found.values() for path in paths):
        backup.write(f"{NOTE_KEYS}/{path.name}", [read_private(path, bytes_max=SEALED_KEY_BYTES_MAX)])


def note_key_names(held: HeldBackup) -> list[str]:
    """The note keys of a backup of keys, below its folder."""
    return [name for name in held.manifest.files if name.startswith(f"{NOTE_KEYS}/")]


@dataclass(frozen=True, slots=True)
class Opening:
    """How many live record keys a key file opens."""

    keys: int
    open: int


def opening(held: HeldBackup, content: KeyFile) -> Opening:
    """Tries every wrapped key of a backup of keys. BadBackup where the rows cannot be read."""
    keys = opened = 0
    for place, wrapped in _keys(held):
        if wrapped is None:
            continue
        keys += 1
        key = content.key_of(wrapped.generation)
        opened += key is not None and unwrap(key, place, wrapped) is not None
    return Opening(keys, opened)


def key_ids(held: HeldBackup) -> set[tuple[str, bytes]]:
    """Origin and stream of every record that has a row of keys, be it a tombstone."""
    return {(place.origin, place.stream_id) for place, _ in _keys(held)}


def erased_up_to(held: HeldBackup) -> dict[str, int]:
    """By origin the position up to which every destruction is applied to these keys."""
    table = held.rows(KEYS, "erased_up_to")
    with held.open(table.file) as file:
        try:
            rows = [((row["origin"] or b"").decode(), row["position"] or b"") for row in binary_rows(file, table)]
        except (KeyError, UnicodeDecodeError):
            raise BadBackup([f"{table.file}: not rows of destructions"]) from None
    return {origin: int.from_bytes(position, "big") for origin, position in rows}


def _keys(held: HeldBackup) -> Iterator[tuple[KeyPlace, Wrapped | None]]:
    """Every row; None for a tombstone."""
    table = held.rows(KEYS, "record_keys")
    with held.open(table.file) as file:
        for row in binary_rows(file, table):
            try:
                place = KeyPlace((row["origin"] or b"").decode(), row["stream_id"] or b"", row["key_id"] or b"")
                data, generation = row["wrapped"], int.from_bytes(row["generation"] or b"", "big")
            except (KeyError, UnicodeDecodeError):
                raise BadBackup([f"{table.file}: not rows of keys"]) from None
            yield place, None if data is None else Wrapped(generation, data)
