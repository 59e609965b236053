"""Discloses one event: its plaintext with the salt by which anybody compares it with the commitment in the envelope."""

from __future__ import annotations

from ledger.keys.key_store import KeyStore
from ledger.trust.record_key import RecordKey
from ledger.trust.sealed_body import open_body, sealed_envelope
from ledger.trust.sealing import Opened, SealFault


class CannotDisclose(Exception):
    """This event cannot be opened, so it cannot be shown to others."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class Disclosing:
    """For events that everybody may read, such as published maps; the salt of one says nothing of any other."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    async def disclose(self, envelope: bytes, body: bytes) -> tuple[bytes, bytes]:
        """(salt, plaintext). Raises CannotDisclose, KeysUnavailable, StoreUnavailable."""
        sealed = sealed_envelope(envelope)
        if isinstance(sealed, SealFault):
            raise CannotDisclose
        stream = sealed.origin, sealed.stream_id
        key = (await self._keys.find([stream]))[stream]
        opening = open_body(key, sealed, body) if isinstance(key, RecordKey) else key
        if not isinstance(key, RecordKey) or not isinstance(opening, Opened):
            raise CannotDisclose
        return key.salt(sealed.stream_id, sealed.stream_version), opening.plaintext
