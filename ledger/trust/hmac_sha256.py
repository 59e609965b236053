"""HMAC-SHA-256 (RFC 2104) by two plain hashes.

The library's one-shot HMAC looks its algorithm up anew at each call: between other work that took three times as long
as the hashing itself, for every event that is sealed or opened.
"""

from __future__ import annotations

from hashlib import sha256

KEY_BYTES_MAX = 64
"""A longer key would be hashed first; none of ours is."""
_INNER = bytes(each ^ 0x36 for each in range(256))
_OUTER = bytes(each ^ 0x5C for each in range(256))


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """32 bytes. ValueError for a key of more than 64 bytes."""
    block = _block(key)
    return sha256(block.translate(_OUTER) + sha256(block.translate(_INNER) + message).digest()).digest()


class KeyedHash:
    """The same under one key for many messages. `repr` shows nothing of the key."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        """ValueError for a key of more than 64 bytes."""
        block = _block(key)
        self._inner = sha256(block.translate(_INNER))
        self._outer = sha256(block.translate(_OUTER))

    def of(self, message: bytes) -> bytes:
        """The HMAC of a message, 32 bytes."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


def _block(key: bytes) -> bytes:
    if len(key) > KEY_BYTES_MAX:
        raise ValueError("a key of more than 64 bytes")
    return key.ljust(KEY_BYTES_MAX, b"\0")
