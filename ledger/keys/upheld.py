"""Destructions whose RecordDestroyed was lost with a log that ended: what its successor upholds of them.

Two persons gave the lost positions up, and the succession took the list from the tombstones that were there. It is
sealed, like every body, under the key of the succession's own stream, which is never destroyed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from google.protobuf.message import DecodeError

from ledger.api.v1.log_events_pb2 import DestructionsUpheld
from ledger.keys.key_rows import StreamOf
from ledger.keys.key_store import KeyStore
from ledger.keys.origin import hospital_of
from ledger.store.reading import EventReader, StoredRow
from ledger.trust.envelope import decode
from ledger.trust.lineage import first_of
from ledger.trust.record_key import RecordKey
from ledger.trust.sealed_body import open_body
from ledger.trust.sealing import Opened, SealFault, SealFaultKind

DESTRUCTIONS_UPHELD = "ledger.v1.DestructionsUpheld"
_WINDOW = 20_000
_log = logging.getLogger(__name__)

Upheld = Mapping[bytes, int]
"""By the id of each record that stays destroyed the position of its lost RecordDestroyed."""


@dataclass(frozen=True, slots=True)
class Unopened:
    """A list that cannot be read: which records stay destroyed is not known."""

    position: int
    stream_id: UUID
    keyless: bool
    """No key of it is here: the keys are older than the succession, and so than the tombstones that it lists."""


@dataclass
class _Read:
    """What one hospital's ledger says up to a position."""

    position: int = 0
    upheld: dict[bytes, int] = field(default_factory=dict[bytes, int])
    unopened: dict[int, Unopened] = field(default_factory=dict[int, Unopened])


class UpheldDestructions:
    """Of every hospital that is asked for, each read on from where it was read to. Raises StoreUnavailable,
    KeysUnavailable.
    """

    def __init__(self, keys: KeyStore, events: EventReader) -> None:
        self._keys = keys
        self._events = events
        self._read: dict[str, _Read] = {}

    async def by(self, stream: StreamOf) -> int | None:
        """The position of the lost RecordDestroyed of a stream; None where no succession upholds one."""
        return (await self.of(hospital_of(stream[0]))).get(stream[1])

    async def of(self, hospital: str) -> Upheld:
        """What every list of a hospital says that can be opened."""
        return (await self._read_on(hospital)).upheld if hospital else {}

    async def unopened(self, hospital: str) -> list[Unopened]:
        """The lists of a hospital that cannot be opened."""
        return list((await self._read_on(hospital)).unopened.values())

    async def listed(self, hospital: str, position: int) -> Upheld | Unopened:
        """What the DestructionsUpheld at a position says, opened now: its key may have come or gone since."""
        (row,) = await self._events.read_positions(hospital, position - 1, 1)
        return await self._opened(row)

    async def _read_on(self, hospital: str) -> _Read:
        read, head = self._read.setdefault(hospital, _Read()), await self._events.head(hospital)
        if head < read.position:  # the ledger was put back
            read = self._read[hospital] = _Read()
        for position in list(read.unopened):
            await self._take(hospital, read, position)
        while read.position < head:
            through = min(read.position + _WINDOW, head)
            found = await self._events.positions_of(hospital, DESTRUCTIONS_UPHELD, read.position, through)
            for position, _ in found:
                await self._take(hospital, read, position)
            read.position = through
        return read

    async def _take(self, hospital: str, read: _Read, position: int) -> None:
        listed = await self.listed(hospital, position)
        if not isinstance(listed, Unopened):
            read.upheld |= listed
            read.unopened.pop(position, None)
            return
        if position not in read.unopened:
            # Its records stay what they are without it: a tombstone that nothing explains.
            facts = {"hospital": hospital, "position": position}
            _log.error("what a succession upholds of destructions cannot be opened", extra=facts)
        read.unopened[position] = listed

    async def _opened(self, row: StoredRow) -> Upheld | Unopened:
        envelope = decode(row.envelope)
        stream = first_of(envelope.origin), envelope.stream_id
        key = await self._keys.living(stream)
        opening = open_body(key, envelope, row.body) if isinstance(key, RecordKey) else key
        try:
            body = DestructionsUpheld.FromString(opening.plaintext) if isinstance(opening, Opened) else None
        except DecodeError:
            body = None
        if body is None:
            keyless = key == SealFault(SealFaultKind.KEY_MISSING)
            return Unopened(row.position, UUID(bytes=envelope.stream_id), keyless)
        return {UUID(each.record_id).bytes: each.position for each in body.destroyed}
