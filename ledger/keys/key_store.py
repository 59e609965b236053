"""Keys of records by stream: from the memory of this process, from PostgreSQL, or made; and their destruction."""

from __future__ import annotations

import logging
import os
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

from ledger.keys.key_encryption import KeyEncryption
from ledger.keys.key_groups import KeyGroups
from ledger.keys.key_rows import KeyRow, KeyRows, StreamOf
from ledger.keys.wrapping import Wrapped
from ledger.trust.record_key import RecordKey
from ledger.trust.sealing import Destroyed, SealFault, SealFaultKind

KEYS_MAX = 20_000
KEPT_SECONDS = 30.0
"""How long a key is used without asking for its row again: so long may another process open what was destroyed."""
_log = logging.getLogger(__name__)

Found = RecordKey | Destroyed | SealFault
IsDestruction = Callable[[StreamOf, int], Awaitable[bool]]
"""Whether the stream's event at a position is a RecordDestroyed, or a LogSucceeded there gave the whole stream up."""


class KeyStore:
    """The one way to a record's key in this process."""

    def __init__(
        self,
        rows: KeyRows,
        encryption: KeyEncryption,
        is_destruction: IsDestruction,
        random: Callable[[int], bytes] = os.urandom,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rows = rows
        self._encryption = encryption
        self._is_destruction = is_destruction
        self._clock = clock
        self._groups = KeyGroups(rows, encryption, random)
        self._forgotten = 0
        """How often a key was forgotten. Whoever asked before may hold a destroyed one, and must not remember it."""
        self._kept: OrderedDict[StreamOf, tuple[RecordKey, float]] = OrderedDict()

    async def find(self, streams: Sequence[StreamOf]) -> dict[StreamOf, Found]:
        """The key of each stream, or why there is none. Raises StoreUnavailable, KeysUnavailable."""
        found: dict[StreamOf, Found] = {}
        asked: list[StreamOf] = []
        for stream in dict.fromkeys(streams):
            if (key := self._remembered(stream)) is None:
                asked.append(stream)
            else:
                found[stream] = key
        return found | await self._ask(asked) if asked else found

    async def living(self, stream: StreamOf) -> RecordKey | SealFault:
        """As `find`, but nobody is asked whether a tombstone is there rightly: for who reads what would tell."""
        if (key := self._remembered(stream)) is not None:
            return key
        since = self._forgotten
        if (row := (await self._rows.find([stream])).get(stream)) is None:
            return SealFault(SealFaultKind.KEY_MISSING)
        if row.wrapped is None or row.purged_by is not None:
            return SealFault(SealFaultKind.TOMBSTONE)
        (data_key,) = await self._encryption.unwrap([(row.place, Wrapped(row.generation, row.wrapped))])
        return self._opened(row, data_key, since)

    async def find_or_make(self, streams: Sequence[StreamOf]) -> dict[StreamOf, Found]:
        """As `find`, with a new durable key for every stream that has none."""
        fresh = [each for each in dict.fromkeys(streams) if self._remembered(each) is None]
        since = self._forgotten
        for stream, key in (await self._groups.make(fresh) if fresh else {}).items():
            self._remember(stream, key, since)
        return await self.find(streams)

    async def destroy(self, stream: StreamOf, position: int) -> None:
        """Destroys a record's key for good, by its RecordDestroyed at a position; again: nothing more.

        Durable when this returns, and nothing of it left in this process. Raises StoreUnavailable.
        """
        await self._rows.destroy(stream, position)
        self.forget(stream)

    def forget(self, stream: StreamOf) -> None:
        """Drops the key from memory."""
        self._forgotten += 1
        self._kept.pop(stream, None)

    async def close(self) -> None:
        """Waits for keys that are being made, and forgets all."""
        await self._groups.close()
        self._kept.clear()

    def _remembered(self, stream: StreamOf) -> RecordKey | None:
        kept = self._kept.get(stream)
        if kept is None:
            return None
        if kept[1] <= self._clock():
            del self._kept[stream]
            return None
        self._kept.move_to_end(stream)
        return kept[0]

    def _remember(self, stream: StreamOf, key: RecordKey, since: int) -> None:
        if since != self._forgotten:
            return
        self._kept[stream] = (key, self._clock() + KEPT_SECONDS)
        while len(self._kept) > KEYS_MAX:
            self._kept.popitem(last=False)

    async def _ask(self, streams: Sequence[StreamOf]) -> dict[StreamOf, Found]:
        since = self._forgotten
        rows = await self._rows.find(streams)
        found: dict[StreamOf, Found] = {each: SealFault(SealFaultKind.KEY_MISSING) for each in streams}
        live = [row for row in rows.values() if row.wrapped is not None and row.purged_by is None]
        wrapped = [(row.place, Wrapped(row.generation, row.wrapped or b"")) for row in live]
        for row, data_key in zip(live, await self._encryption.unwrap(wrapped), strict=True):
            found[row.stream] = self._opened(row, data_key, since)
        for row in rows.values():
            if (position := row.destroyed_by or row.purged_by) is not None:
                found[row.stream] = await self._of_tombstone(row, position)
        return found

    def _opened(self, row: KeyRow, data_key: bytes | None, since: int) -> RecordKey | SealFault:
        key = RecordKey(data_key) if data_key is not None else None
        if key is None or key.key_id != row.place.key_id:
            return SealFault(SealFaultKind.KEY_UNWRAPPED)
        self._remember(row.stream, key, since)
        return key

    async def _of_tombstone(self, row: KeyRow, position: int) -> Found:
        if row.wrapped is not None:
            _log.error("a destroyed record's key was put back", extra={"stream_id": row.place.stream_id.hex()})
        if await self._is_destruction(row.stream, position):
            return Destroyed()
        _log.error("a key was removed without a RecordDestroyed", extra={"stream_id": row.place.stream_id.hex()})
        return SealFault(SealFaultKind.TOMBSTONE)
