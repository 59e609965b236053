"""Discloses a published map: its plaintext, with the salt that shows it to be what the envelope commits to."""

from __future__ import annotations

from ledger.keys.key_store import KeyStore
from ledger.trust.lineage import first_of
from ledger.trust.record_key import RecordKey
from ledger.trust.record_map import MAP_PUBLISHED
from ledger.trust.sealed_body import open_body, sealed_envelope
from ledger.trust.sealing import Opened, SealFault


class CannotDisclose(Exception):
    """This event is no published map, or cannot be opened; it is not shown to others."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class Disclosing:
    """For published maps alone, which everybody may read; the salt of one says nothing of any other event."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    async def disclose(self, envelope: bytes, body: bytes) -> tuple[bytes, bytes]:
        """(salt, plaintext). Raises CannotDisclose, KeysUnavailable, StoreUnavailable."""
        sealed = sealed_envelope(envelope)
        # The seal binds the type: a patient's event does not open under an envelope that calls it a map.
        if isinstance(sealed, SealFault) or sealed.type != MAP_PUBLISHED:
            raise CannotDisclose
        stream = first_of(sealed.origin), sealed.stream_id
        key = (await self._keys.find([stream]))[stream]
        opening = open_body(key, sealed, body) if isinstance(key, RecordKey) else key
        if not isinstance(key, RecordKey) or not isinstance(opening, Opened):
            raise CannotDisclose
        return key.salt(sealed.stream_id, sealed.stream_version), opening.plaintext
