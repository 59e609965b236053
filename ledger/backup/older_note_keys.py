"""Whether the note keys of a backup are older than a log that they are put back beside, and could not go on with it."""

from __future__ import annotations

from ledger.backup.faults import BadBackup
from ledger.backup.held_backup import HeldBackup
from ledger.backup.key_part import note_key_names
from ledger.backup.manifest import Ledger
from ledger.blobs.contract import Blobs
from ledger.keys.key_folder import read_sealed_key
from ledger.keys.private_file import UnsafeFile
from ledger.log.key_register import key_register
from ledger.log.log_files import LogDamaged, LogFiles
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.note import Note
from ledger.trust.note_key import VerifierKey
from ledger.trust.sealed_key import SealedKeyFault
from ledger.trust.signed_note import signers


def older_note_keys(blobs: Blobs, name: str, ledger: Ledger, keys: HeldBackup) -> list[str]:
    """Why these keys are older than the log of a store; empty where they are not, or it has none. BlobError.

    A key that stands in the log's register but has not signed its newest head was followed by another. One that the
    register does not name may well be newer than a log that was itself put back: that head is signed anew with it.
    """
    files = LogFiles(blobs, ledger.log_folder)
    notes = [note for note in (files.signed(), files.published()) if note]
    own = note_keys_of(keys, ledger.origin)
    if not notes or not own:
        return []
    newest = max(notes, key=_size)
    registered = _registered(files)
    if any(key in signers(newest, own) for key in own) or not any(key in registered for key in own):
        return []
    ids = ", ".join(each.key_id.hex() for each in own)
    followed = f"was followed by another, which alone has signed the head of {_size(newest)} events of {name}"
    return [f"{ledger.hospital}: the note key in {keys.folder} ({ids}) {followed}: take newer KEYS"]


def note_keys_of(keys: HeldBackup, origin: str) -> list[VerifierKey]:
    """The public sides of a log's note keys in a backup of keys. BadBackup."""
    found: list[VerifierKey] = []
    for name in note_key_names(keys):
        try:
            found.append(read_sealed_key(keys.folder / name).verifier)
        except (OSError, UnsafeFile, SealedKeyFault) as error:
            raise BadBackup([f"{name}: no note key ({type(error).__name__})"]) from error
    return [key for key in found if key.name == origin]


def _registered(files: LogFiles) -> set[VerifierKey]:
    """A damaged register proves nothing of the events, and keeps no backup out."""
    try:
        return {key for line in key_register(files) for key in line.period.keys}
    except LogDamaged:
        return set()


def _size(note: Note) -> int:
    return parse_checkpoint(note.text).size
