"""A data key as it is kept: wrapped by a key-encryption key and bound to its record; formats in `docs/formats.md`."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
_FORMAT = b"\x01"
_LABEL = b"ledger record key 1"
_WRAPPED_BYTES = 1 + NONCE_BYTES + 32 + 16


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Which record's key it is."""

    origin: str
    stream_id: bytes
    """16 bytes."""
    key_id: bytes
    """16 bytes."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A wrapped data key."""

    generation: int
    """Of the key-encryption key, from 1."""
    data: bytes


def wrap(encryption_key: bytes, generation: int, nonce: bytes, place: KeyPlace, data_key: bytes) -> Wrapped:
    """The data key under a key-encryption key of 32 bytes; a nonce wraps once."""
    sealed = AESGCM(encryption_key).encrypt(nonce, data_key, _bound_to(place, generation))
    return Wrapped(generation, _FORMAT + nonce + sealed)


def unwrap(encryption_key: bytes, place: KeyPlace, wrapped: Wrapped) -> bytes | None:
    """The data key; None where it was wrapped otherwise, for another record, or was altered."""
    data = wrapped.data
    if len(data) != _WRAPPED_BYTES or data[:1] != _FORMAT:
        return None
    nonce, sealed = data[1 : 1 + NONCE_BYTES], data[1 + NONCE_BYTES :]
    try:
        return AESGCM(encryption_key).decrypt(nonce, sealed, _bound_to(place, wrapped.generation))
    except InvalidTag:
        return None


def _bound_to(place: KeyPlace, generation: int) -> bytes:
    origin = place.origin.encode()
    parts = (
        _LABEL,
        len(origin).to_bytes(4, "big"),
        origin,
        place.stream_id,
        place.key_id,
        generation.to_bytes(4, "big"),
    )
    return b"".join(parts)
