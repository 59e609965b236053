"""Which of the keys that one trusts have signed a note."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.trust.format_fault import SignatureFault
from ledger.trust.note import Note
from ledger.trust.note_key import VerifierKey


def signers(note: Note, keys: Iterable[VerifierKey]) -> dict[VerifierKey, int]:
    """The keys whose signature holds, each with the earliest Unix second that it states (0 for a key that states none).

    Signatures of other keys are passed over. SignatureFault where one names a key of these and does not hold: a note
    with a broken signature of a trusted key was tampered with, whatever else stands on it.
    """
    found: dict[VerifierKey, int] = {}
    broken: list[str] = []
    trusted = list(keys)
    for at, signature in enumerate(note.signatures, 1):
        for key in trusted:
            if not key.is_named_by(signature):
                continue
            time = key.time_of(note.text, signature)
            if time is None:
                broken.append(f"signature line {at} does not hold")
            else:
                found[key] = min(time, found.get(key, time))
    if broken:
        raise SignatureFault(*broken)
    return found


def check_signed(note: Note, keys: Iterable[VerifierKey]) -> dict[VerifierKey, int]:
    """As `signers`, and SignatureFault where none of the keys has signed."""
    found = signers(note, keys)
    if not found:
        raise SignatureFault("no trusted key has signed")
    return found
