"""The port to whoever holds the key-encryption keys: a key file now, a key management service later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ledger.keys.wrapping import KeyPlace, Wrapped


class KeyEncryption(Protocol):
    """Wraps and unwraps data keys, in batches, since it may be a call to elsewhere."""

    async def wrap(self, keys: Sequence[tuple[KeyPlace, bytes]]) -> list[Wrapped]:
        """Each data key under the newest generation. Raises KeysUnavailable."""
        ...

    async def unwrap(self, keys: Sequence[tuple[KeyPlace, Wrapped]]) -> list[bytes | None]:
        """Each data key; None where its generation is destroyed or it does not unwrap. Raises as `wrap`."""
        ...
