"""Makes keys of new records in groups: while one insert is on its way, the next one collects.

A key must be durable before its record's first event, and that costs a flush to disk. It is one for all records that
begin meanwhile, and none for an event of a record that has its key. What is left of a command that was refused
afterwards is a key without a record, which is harmless: it opens nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from ledger.keys.errors import KeysUnavailable
from ledger.keys.key_encryption import KeyEncryption
from ledger.keys.key_rows import KeyRows, StreamOf
from ledger.keys.wrapping import KeyPlace
from ledger.store.errors import StoreError
from ledger.trust.record_key import DATA_KEY_BYTES, RecordKey

GROUP_MAX = 1000
WAITING_MAX = 20_000
SECONDS_MAX = 20.0
"""How long a group may take; above what PostgreSQL needs to come back from an ordinary stall."""


class KeyGroups:
    """One insert at a time in this process."""

    def __init__(self, rows: KeyRows, encryption: KeyEncryption, random: Callable[[int], bytes]) -> None:
        self._rows = rows
        self._encryption = encryption
        self._random = random
        self._waiting: dict[StreamOf, asyncio.Future[RecordKey | None]] = {}
        self._flushing: asyncio.Task[None] | None = None

    async def make(self, streams: Sequence[StreamOf]) -> dict[StreamOf, RecordKey]:
        """Durable new keys; streams that had a row already keep it and are left out. Raises KeysUnavailable."""
        if len(self._waiting) + len(streams) > WAITING_MAX:
            raise KeysUnavailable("too many records wait for a key")
        loop = asyncio.get_running_loop()
        futures = {each: self._waiting.setdefault(each, loop.create_future()) for each in streams}
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush(), name="record keys")
        # Shielded: of two commands that wait for one key, one may be given up.
        keys = await asyncio.gather(*(asyncio.shield(each) for each in futures.values()))
        return {stream: key for stream, key in zip(futures, keys, strict=True) if key is not None}

    async def close(self) -> None:
        """Waits for what is on its way."""
        if self._flushing is not None:
            await self._flushing

    async def _flush(self) -> None:
        try:
            while self._waiting:
                group = dict(list(self._waiting.items())[:GROUP_MAX])
                for stream in group:
                    del self._waiting[stream]
                await self._settle(group)
        finally:
            self._flushing = None

    async def _settle(self, group: dict[StreamOf, asyncio.Future[RecordKey | None]]) -> None:
        try:
            async with asyncio.timeout(SECONDS_MAX):
                made = await self._insert(list(group))
        except Exception as error:  # noqa: BLE001 - everyone who waits for the group raises it
            for future in group.values():
                future.set_exception(_told(error))
                future.exception()  # whoever waited may be gone
        else:
            for stream, future in group.items():
                future.set_result(made.get(stream))

    async def _insert(self, streams: Sequence[StreamOf]) -> dict[StreamOf, RecordKey]:
        data_keys = [self._random(DATA_KEY_BYTES) for _ in streams]
        keys = [RecordKey(each) for each in data_keys]
        places = [
            KeyPlace(origin, stream_id, key.key_id) for (origin, stream_id), key in zip(streams, keys, strict=True)
        ]
        wrapped = await self._encryption.wrap(list(zip(places, data_keys, strict=True)))
        inserted = await self._rows.insert(list(zip(places, wrapped, strict=True)))
        return {stream: key for stream, key in zip(streams, keys, strict=True) if stream in inserted}


def _told(error: Exception) -> Exception:
    if not isinstance(error, (StoreError, TimeoutError)):
        return error
    failure = KeysUnavailable(f"a new one could not be kept ({type(error).__name__})")
    failure.__cause__ = error
    return failure
