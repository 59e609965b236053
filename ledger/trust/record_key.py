"""The data key of one record, and what is derived from it; formats in `docs/formats.md`."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.trust.hmac_sha256 import KeyedHash, hmac_sha256

DATA_KEY_BYTES = 32
KEY_ID_BYTES = 16
_NO_SALT = bytes(32)


class RecordKey:
    """A data key, 32 random bytes, with its cipher and its id made once. `repr` shows nothing of it."""

    __slots__ = ("_expanding", "cipher", "key_id")

    def __init__(self, data_key: bytes) -> None:
        """ValueError for a key that is not 32 bytes."""
        if len(data_key) != DATA_KEY_BYTES:
            raise ValueError("a data key is 32 bytes")
        self.cipher = AESGCM(data_key)
        # HKDF (RFC 5869) in two steps: the first, and the keying of the second, once for a key, not for every event.
        self._expanding = KeyedHash(hmac_sha256(_NO_SALT, data_key))
        self.key_id = self._expanding.of(b"id\x01")[:KEY_ID_BYTES]

    def commitment(self, stream_id: bytes, version: int, plaintext: bytes) -> bytes:
        """Commits to the plaintext of one event: HMAC under a salt that is stored nowhere and dies with the key."""
        return hmac_sha256(self.salt(stream_id, version), plaintext)

    def salt(self, stream_id: bytes, version: int) -> bytes:
        """32 bytes. Told to somebody, it shows what one event says, and nothing of any other."""
        return self._expanding.of(stream_id + version.to_bytes(8, "big") + b"\x01")
