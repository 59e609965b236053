"""The leaf of an event in the ledger's tree (RFC 6962)."""

from hashlib import sha256


def leaf_hash(envelope_bytes: bytes) -> bytes:
    """SHA-256(0x00 || the exact envelope bytes as stored), 32 bytes."""
    return sha256(b"\x00" + envelope_bytes).digest()
