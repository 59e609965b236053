"""What the claim on a source item says: what a command took from it, which entry, and the item's digest."""

from __future__ import annotations

from enum import Enum
from uuid import UUID

DIGEST_BYTES = 32
KIND_BYTES = 1


class UnknownClaim(ValueError):
    """A claim that this release cannot read; a later one wrote it."""


class Taken(Enum):
    """What a command took from a source item. The letters are stored: they never change."""

    PATIENT = b"P"
    """With the id of a patient: this one's, to whom it went after it was led to another one."""
    RECORD = b"R"
    CARE_START = b"S"
    CARE_END = b"E"
    ENTRY = b"N"
    MEMBER = b"M"
    """It is one of the further items of an entry; it moves where the source says."""
    LINKED = b"L"
    """Nothing was made of it: another system had said the same before."""
    FREED = b"F"
    """It was led to the wrong patient: the next command that registers a patient from it begins anew."""


def encode_claim(taken: Taken | None, entry_id: UUID | None, digest: bytes) -> bytes:
    """The stored value of a claim: kind, entry id where there is one, digest."""
    return (taken.value if taken else b"") + (entry_id.bytes if entry_id else b"") + digest


def decode_claim(value: bytes) -> tuple[Taken | None, UUID | None, bytes]:
    """Kind, entry and digest of a stored value; no kind = the claim of a package. Raises UnknownClaim otherwise."""
    made, digest = value[:-DIGEST_BYTES], value[-DIGEST_BYTES:]
    try:
        taken = Taken(made[:KIND_BYTES]) if made else None
        entry = made[KIND_BYTES:]
        return taken, UUID(bytes=entry) if entry else None, digest
    except ValueError as error:
        raise UnknownClaim from error
