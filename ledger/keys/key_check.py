"""Holds the rows of keys against the ledger: who has a key has a record, and who has none was destroyed.

Opening a body finds a key that is wrong for it. What it cannot find is looked for here: a key that was put back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from ledger.keys.erasing import RECORD_DESTROYED
from ledger.keys.key_encryption import KeyEncryption
from ledger.keys.key_rows import KeyRow, KeyRows, StreamOf
from ledger.keys.purge_rows import REGISTER_START, PurgeRows, Statement
from ledger.keys.upheld import Upheld, UpheldDestructions
from ledger.keys.wrapping import Wrapped
from ledger.store.hospitals import HospitalRow
from ledger.store.reading import EventReader, LastEvent
from ledger.trust.envelope import Envelope, decode
from ledger.trust.lineage import first_of
from ledger.trust.record_key import RecordKey
from ledger.trust.sealed_body import open_body
from ledger.trust.sealing import Opened

_PAGE = 500


class KeyRowFault(Enum):
    """What is wrong with a record's key, or with its row of the purge register."""

    KEY_MISSING = "the record has no row, and nothing says that it was destroyed"
    KEY_UNWRAPPED = "the row does not unwrap: it was altered, exchanged, or its key-encryption key is gone"
    KEY_ID = "the row is of another key than the one that the record's events name"
    KEY_PUT_BACK = "the record is destroyed, and its key is there again"
    NOT_DESTROYED = "the record's destruction is damaged, or nobody sealed it under the record's key, which stays"
    TOMBSTONE = "the row is a tombstone, and the ledger holds no RecordDestroyed where it says, nor upholds a lost one"
    UPHELD = "what a succession upholds of destructions cannot be opened: nobody knows which records stay destroyed"
    REGISTER = "the record is destroyed, and the purge register or its tombstone is missing or says something else"


@dataclass(frozen=True, slots=True)
class KeyFaultAt:
    """One record's fault."""

    kind: KeyRowFault
    record_id: UUID
    position: int
    """Of the record's last event."""


class KeyCheck:
    """Checks one hospital after the other. Raises StoreUnavailable, KeysUnavailable, EnvelopeFault."""

    def __init__(
        self,
        rows: KeyRows,
        purges: PurgeRows,
        events: EventReader,
        encryption: KeyEncryption,
        upheld: UpheldDestructions,
    ) -> None:
        self._upheld = upheld
        self._rows = rows
        self._purges = purges
        self._events = events
        self._encryption = encryption
        self.checked = 0
        """Streams looked at so far."""

    async def faults(self, hospital: HospitalRow) -> AsyncIterator[KeyFaultAt]:
        """Every fault: of records by their id, of lists, of the register. A destruction not applied yet is none.

        One that a succession upholds was applied before it: a key that lives was put back, whatever was read since.
        """
        erased_up_to = await self._purges.erased_up_to(hospital.origin)
        named: set[UUID] = set()
        async for fault in self._of_records(hospital, erased_up_to):
            named.add(fault.record_id)
            yield fault
        for each in await self._upheld.unopened(hospital.id):
            yield KeyFaultAt(KeyRowFault.UPHELD, each.stream_id, each.position)
        async for fault in self._of_register(first_of(hospital.origin), erased_up_to):
            if fault.record_id not in named:
                yield fault

    async def _of_records(self, hospital: HospitalRow, erased_up_to: int) -> AsyncIterator[KeyFaultAt]:
        upheld, after = await self._upheld.of(hospital.id), UUID(int=0)
        unseen = set(upheld)
        while page := await self._events.last_events(hospital.id, after, _PAGE):
            last = [(each, decode(each.envelope)) for each in page]
            for fault in await self._of_page(hospital.id, last, erased_up_to, upheld):
                yield fault
            self.checked += len(page)
            unseen.difference_update(envelope.stream_id for _, envelope in last)
            after = UUID(bytes=last[-1][1].stream_id)
        for fault in await self._of_lost_whole(hospital, {each: upheld[each] for each in unseen}):
            yield fault

    async def _of_register(self, origin: str, erased_up_to: int) -> AsyncIterator[KeyFaultAt]:
        """Also of records that have no event any more. What a restore wrote is taken up by the next look."""
        after = REGISTER_START
        while page := await self._purges.page(origin, after, _PAGE, only_open=False):
            for each in page:
                if not each.proven and not (each.pending and each.position > erased_up_to):
                    yield KeyFaultAt(KeyRowFault.REGISTER, each.stream_id, each.position)
            after = page[-1].place
        for stream_id, position in await self._purges.unregistered(origin):
            yield KeyFaultAt(KeyRowFault.REGISTER, stream_id, position)

    async def _of_lost_whole(self, hospital: HospitalRow, upheld: Upheld) -> list[KeyFaultAt]:
        """Of records that stay destroyed and have no event any more."""
        streams = sorted((first_of(hospital.origin), each) for each in upheld)
        found: list[KeyFaultAt] = []
        for begin in range(0, len(streams), _PAGE):
            rows = await self._rows.find(streams[begin : begin + _PAGE])
            alive = [row for row in rows.values() if row.wrapped is not None]
            found += [
                KeyFaultAt(KeyRowFault.KEY_PUT_BACK, UUID(bytes=row.place.stream_id), upheld[row.place.stream_id])
                for row in alive
            ]
        return found

    async def _of_page(
        self,
        hospital: str,
        last: Sequence[tuple[LastEvent, Envelope]],
        erased_up_to: int,
        upheld: Upheld,
    ) -> list[KeyFaultAt]:
        streams = [(first_of(envelope.origin), envelope.stream_id) for _, envelope in last]
        rows = await self._rows.find(streams)
        kept = await self._purges.statements(
            [
                stream
                for (event, _), stream in zip(last, streams, strict=True)
                if event.type == RECORD_DESTROYED or _is_destroyed(rows, stream)
            ]
        )
        keys = await self._opened(rows)
        found: list[KeyFaultAt] = []
        for (event, envelope), stream in zip(last, streams, strict=True):
            row = rows.get(stream)
            lost = upheld.get(envelope.stream_id)
            if row is not None and lost is not None and row.destroyed_by in (None, lost):
                kind = _fault_of_upheld(envelope, row, kept.get(stream))
            else:
                kind = _fault_of(event, envelope, row, kept.get(stream), erased_up_to)
            if kind is None and row is not None and row.wrapped is not None:
                kind = await self._fault_of_key(hospital, event, envelope, keys[stream])
            if kind:
                found.append(KeyFaultAt(kind, UUID(bytes=envelope.stream_id), event.position))
        return found

    async def _fault_of_key(
        self, hospital: str, event: LastEvent, envelope: Envelope, key: RecordKey | None
    ) -> KeyRowFault | None:
        """Of a living key. One whose record's destruction opens goes at the next look of a server: that is no fault."""
        if key is None or key.key_id != envelope.key_id:
            return KeyRowFault.KEY_UNWRAPPED
        if event.type != RECORD_DESTROYED:
            return None
        rows = await self._events.read_positions(hospital, event.position - 1, 1)
        opens = bool(rows) and isinstance(open_body(key, envelope, rows[0].body), Opened)
        return None if opens else KeyRowFault.NOT_DESTROYED

    async def _opened(self, rows: dict[StreamOf, KeyRow]) -> dict[StreamOf, RecordKey | None]:
        """Every living key; None for one that does not unwrap."""
        live = [row for row in rows.values() if row.wrapped is not None]
        wrapped = [(row.place, Wrapped(row.generation, row.wrapped or b"")) for row in live]
        opened = await self._encryption.unwrap(wrapped)
        return {row.stream: RecordKey(key) if key else None for row, key in zip(live, opened, strict=True)}


def _is_destroyed(rows: dict[StreamOf, KeyRow], stream: StreamOf) -> bool:
    return stream in rows and rows[stream].wrapped is None


def _fault_of_upheld(envelope: Envelope, row: KeyRow, statement: Statement | None) -> KeyRowFault | None:
    """Of the lost RecordDestroyed no commitment is left to hold the register's statement against."""
    if row.place.key_id != envelope.key_id:
        return KeyRowFault.KEY_ID
    if row.wrapped is not None:
        return KeyRowFault.KEY_PUT_BACK
    return KeyRowFault.REGISTER if statement is None or statement.position != row.destroyed_by else None


def _fault_of(
    event: LastEvent, envelope: Envelope, row: KeyRow | None, statement: Statement | None, erased_up_to: int
) -> KeyRowFault | None:
    destroyed = event.type == RECORD_DESTROYED
    if row is None:
        return KeyRowFault.KEY_MISSING
    if row.place.key_id != envelope.key_id:
        return KeyRowFault.KEY_ID
    if row.wrapped is not None:
        applied = statement is not None or event.position <= erased_up_to
        return KeyRowFault.KEY_PUT_BACK if destroyed and applied else None
    if not destroyed or row.destroyed_by != event.position:
        return KeyRowFault.TOMBSTONE
    if statement is None or statement.position != event.position:
        return KeyRowFault.REGISTER
    # Both are empty where the RecordDestroyed could not be opened any more.
    kept = bool(statement.plaintext or statement.salt)
    return KeyRowFault.REGISTER if kept and not statement.proven_by(envelope) else None
