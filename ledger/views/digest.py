"""The running digest by which a view shows that it handled each event once and in order."""

from hashlib import sha256

EMPTY_DIGEST = bytes(32)
"""Digest of a partition of which nothing was handled."""


def extend_digest(digest: bytes, position: int, leaf: bytes) -> bytes:
    """SHA-256(digest so far || position as unsigned 64 bits, big-endian || leaf hash), 32 bytes."""
    return sha256(digest + position.to_bytes(8, "big") + leaf).digest()
