"""Destructions whose RecordDestroyed was lost with a log that ended: what its successor upholds of them.

Two persons gave the lost positions up, and the succession took the list from the tombstones that were there. It is
sealed, like every body, under the key of the succession's own stream, which is never destroyed.
"""

from __future__ import annotations

import logging
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
from ledger.trust.sealing import Opened

DESTRUCTIONS_UPHELD = "ledger.v1.DestructionsUpheld"
_WINDOW = 20_000
_log = logging.getLogger(__name__)


@dataclass
class _Read:
    """What one hospital's ledger says up to a position."""

    position: int = 0
    upheld: dict[bytes, int] = field(default_factory=dict[bytes, int])


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

    async def of(self, hospital: str) -> dict[bytes, int]:
        """By the id of each such record the position of its lost RecordDestroyed."""
        if not hospital:
            return {}
        read, head = self._read.setdefault(hospital, _Read()), await self._events.head(hospital)
        if head < read.position:  # the ledger was put back
            read = self._read[hospital] = _Read()
        while read.position < head:
            through = min(read.position + _WINDOW, head)
            found = await self._events.positions_of(hospital, DESTRUCTIONS_UPHELD, read.position, through)
            for position, _ in found:
                (row,) = await self._events.read_positions(hospital, position - 1, 1)
                read.upheld |= await self._opened(hospital, row)
            read.position = through
        return read.upheld

    async def _opened(self, hospital: str, row: StoredRow) -> dict[bytes, int]:
        envelope = decode(row.envelope)
        stream = first_of(envelope.origin), envelope.stream_id
        key = (await self._keys.find([stream]))[stream]
        opening = open_body(key, envelope, row.body) if isinstance(key, RecordKey) else key
        try:
            body = DestructionsUpheld.FromString(opening.plaintext) if isinstance(opening, Opened) else None
        except DecodeError:
            body = None
        if body is None:
            # Its records stay what they are without it: a tombstone that nothing explains.
            facts = {"hospital": hospital, "position": row.position}
            _log.error("what a succession upholds of destructions cannot be opened", extra=facts)
            return {}
        return {UUID(each.record_id).bytes: each.position for each in body.destroyed}
