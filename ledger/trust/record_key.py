"""The data key of one record, and what is derived from it; formats in `docs/formats.md`."""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

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
        self._expanding = HMAC(hmac.digest(_NO_SALT, data_key, "sha256"), SHA256())
        self.key_id = self._expanded(b"id")[:KEY_ID_BYTES]

    def commitment(self, stream_id: bytes, version: int, plaintext: bytes) -> bytes:
        """Commits to the plaintext of one event: HMAC under a salt that is stored nowhere and dies with the key."""
        return hmac.digest(self.salt(stream_id, version), plaintext, "sha256")

    def salt(self, stream_id: bytes, version: int) -> bytes:
        """32 bytes. Told to somebody, it shows what one event says, and nothing of any other."""
        return self._expanded(stream_id + version.to_bytes(8, "big"))

    def _expanded(self, info: bytes) -> bytes:
        keyed = self._expanding.copy()
        keyed.update(info + b"\x01")
        return keyed.finalize()
