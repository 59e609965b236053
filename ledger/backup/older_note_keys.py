"""Whether the note keys of a backup can go on with a log that they are put back beside, under keys its readers know."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.backup.faults import BadBackup
from ledger.backup.held_backup import HeldBackup
from ledger.backup.key_part import note_key_names
from ledger.backup.manifest import Ledger
from ledger.blobs.contract import Blobs
from ledger.keys.key_folder import read_sealed_key
from ledger.keys.private_file import UnsafeFile
from ledger.log.key_register import Registered, key_register
from ledger.log.log_files import LogDamaged, LogFiles
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.note import Note
from ledger.trust.note_key import VerifierKey
from ledger.trust.sealed_key import SealedKeyFault


def older_note_keys(blobs: Blobs, name: str, ledger: Ledger, keys: HeldBackup) -> list[str]:
    """Why these keys are older than the log of a store; empty where they are not, or it has none. BlobError.

    A key that stands in the log's register but has not signed its newest head was followed by another. One that the
    register does not name may well be newer than a log that was itself put back: that head is signed anew with it.
    """
    found, ids = _signing(LogFiles(blobs, ledger.log_folder), ledger.origin), _ids(keys, ledger.origin)
    if found is None or ids & set(found.signing) or not ids & found.begun.keys():
        return []
    of_now = ", ".join(sorted(each.hex() for each in ids))
    followed = f"({of_now}) was followed by another: it is not {found.last_one(name)}"
    return [f"{ledger.hospital}: the note key in {keys.folder} {followed}; take newer KEYS"]


def missing_note_keys(blobs: Blobs, name: str, ledger: Ledger, keys: HeldBackup) -> list[str]:
    """Which key of a store's log these keys lack, and which heads it signs: where they have none of its origin, or of
    two that sign the first alone, which is about to be put away. Empty where they lack none. BlobError.
    """
    found, ids = _signing(LogFiles(blobs, ledger.log_folder), ledger.origin), _ids(keys, ledger.origin)
    if found is None or found.signing[-1] in ids or (ids and not ids & set(found.signing)):
        return []
    return [f"{ledger.hospital}: {keys.folder} lacks a note key of {ledger.origin}: {found.last_one(name)}"]


def note_keys_of(keys: HeldBackup, origin: str) -> list[VerifierKey]:
    """The public sides of a log's note keys in a backup of keys. BadBackup."""
    found: list[VerifierKey] = []
    for name in note_key_names(keys):
        try:
            found.append(read_sealed_key(keys.folder / name).verifier)
        except (OSError, UnsafeFile, SealedKeyFault) as error:
            raise BadBackup([f"{name}: no note key ({type(error).__name__})"]) from error
    return [key for key in found if key.name == origin]


def _ids(keys: HeldBackup, origin: str) -> set[bytes]:
    return {each.key_id for each in note_keys_of(keys, origin)}


@dataclass(frozen=True, slots=True)
class _Signing:
    """Who signs a log, as its newest head and its register say. It keeps keys out, and proves nothing of events."""

    size: int
    signing: list[bytes]
    """Ids of the keys of that head, the one that follows behind the other."""
    begun: dict[bytes, int]
    """By key the size of the first head that it has signed, where the register says it."""

    def last_one(self, name: str) -> str:
        """The key that goes on, and which heads it signs."""
        begun = self.begun.get(self.signing[-1])
        heads = f"the head of {self.size}" if begun is None else f"heads of {begun} to {self.size}"
        return f"{self.signing[-1].hex()}, which signs {heads} events of {name}"


def _signing(files: LogFiles, origin: str) -> _Signing | None:
    """None for a log that is not there, or that nobody has signed under its origin."""
    notes = [note for note in (files.signed(), files.published()) if note]
    if not notes:
        return None
    newest = max(notes, key=_size)
    signing = [each.key_id for each in newest.signatures if each.name == origin]
    begun: dict[bytes, int] = {}
    for line in _register(files):
        for key in line.period.keys:
            begun.setdefault(key.key_id, line.period.size)
    return _Signing(_size(newest), signing, begun) if signing else None


def _register(files: LogFiles) -> list[Registered]:
    """A damaged register proves nothing of the events, and keeps no backup out."""
    try:
        return key_register(files)
    except LogDamaged:
        return []


def _size(note: Note) -> int:
    return parse_checkpoint(note.text).size
