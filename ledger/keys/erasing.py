"""Destroys the key of every record that has a RecordDestroyed, or whose lost one a succession upholds, and takes up in
the register what must be known later.

Any number of processes may do so side by side: the tombstone and the row of the register are one statement, and
whoever comes second finds the key gone. Each drops what it remembers of the record in its own memory.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from ledger.clock import Clock
from ledger.keys.held_back import HeldBack
from ledger.keys.holders import HANDS_OUT, holders_of
from ledger.keys.key_rows import StreamOf
from ledger.keys.key_store import KeyStore
from ledger.keys.purge_rows import PurgeRows, Statement
from ledger.keys.upheld import DESTRUCTIONS_UPHELD, Unopened, UpheldDestructions
from ledger.store.hospitals import HospitalRow
from ledger.store.reading import ROWS_MAX, EventReader, StoredRow, is_last_page
from ledger.trust.envelope import decode
from ledger.trust.lineage import first_of
from ledger.trust.record_key import RecordKey
from ledger.trust.sealed_body import open_body
from ledger.trust.sealing import Opened

WINDOW = 20_000
"""Positions that are looked at in one statement."""
RETRIED_MAX = 100
"""Destructions that could not be applied and are tried again at one look, the oldest."""
RECORD_DESTROYED = "ledger.v1.RecordDestroyed"
_NOT_SEALED = "a destruction is damaged or was not sealed under its record's key, which stays; it is tried again"
_LIST_UNOPENED = "a list of destructions that a succession upholds cannot be opened; its records' keys may be there"
_log = logging.getLogger(__name__)

Dropped = Callable[[str, UUID], Awaitable[None]]
"""Told of a hospital and a record whose key is gone: whoever remembers anything of it forgets it."""


@dataclass(frozen=True, slots=True, order=True)
class _Found:
    """An event that says that records are destroyed."""

    position: int
    stream_id: UUID
    type: str


@dataclass
class _Told:
    """What is known of a destruction and of who else holds the record."""

    known: bool = False
    """Whether every event that may name a holder could be opened."""
    handed_out: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    plaintext: bytes = b""
    salt: bytes = b""

    def statement(self, position: int) -> Statement:
        """What the register keeps of it."""
        return Statement(position, self.plaintext, self.salt)


@dataclass
class _Looked:
    """How far this process has read a ledger for destructions."""

    upto: int = 0
    refused: dict[int, _Found] = field(default_factory=dict[int, _Found])
    """By position what could not be applied; what comes behind it is applied."""

    @property
    def applied(self) -> int:
        """Up to where every destruction is applied: whoever starts next reads on from here."""
        return min(self.upto, *(position - 1 for position in self.refused)) if self.refused else self.upto

    def begin_again(self, position: int) -> None:
        """Forgets what lies behind a position: it is read again."""
        self.upto, self.refused = position, {}


class Erasing:
    """Follows the ledgers of a cluster for this process."""

    def __init__(
        self,
        keys: KeyStore,
        purges: PurgeRows,
        events: EventReader,
        offices: Callable[[str], Sequence[str]],
        clock: Clock,
        upheld: UpheldDestructions,
        held_back: HeldBack,
    ) -> None:
        """`offices`: from a hospital to every archive office that writes readable files of its records."""
        self._keys = keys
        self._purges = purges
        self._events = events
        self._offices = offices
        self._clock = clock
        self._upheld = upheld
        self._held_back = held_back
        self._looked: dict[str, _Looked] = {}
        self._noted_offices: dict[str, frozenset[str]] = {}

    async def behind(self, hospital: HospitalRow) -> int:
        """How many events of the hospital were not looked at yet, or are destructions that could not be applied.

        A successor of a log is looked at from its start.
        """
        looked = self._looked.get(hospital.origin, _Looked())
        return max(await self._events.head(hospital.id) - looked.upto, 0) + len(looked.refused)

    async def catch_up(self, hospital: HospitalRow, dropped: Dropped) -> int:
        """Applies every destruction up to the head; how many keys went. Broken off anywhere, the next call goes on.

        Raises StoreUnavailable, KeysUnavailable.
        """
        await self._note_offices(hospital)
        # Asked at each look: who puts older keys back under a running server sets it to the beginning.
        noted, erased = await self._purges.erased_up_to(hospital.origin), 0
        # At first nothing of what lies further back can be in this process's memory.
        looked = self._looked.setdefault(hospital.origin, _Looked(noted))
        head = await self._events.head(hospital.id)  # second: what is noted was a head before
        if max(noted, looked.upto) > head:
            # The ledger was put back below what was read: what stands there now, or is refilled, was not looked at.
            await self._purges.begin_again(hospital.origin)
            looked.begin_again(0)
            noted = 0
        if noted < looked.applied:
            looked.begin_again(noted)
        erased += await self._once_more(hospital, looked, dropped)
        while looked.upto < head or noted < looked.applied:
            through = min(looked.upto + WINDOW, head)
            for found in await self._found(hospital, looked.upto, through):
                erased += await self._apply(hospital, looked, found, dropped)
            looked.upto = through
            if await self._purges.note_erased(hospital.origin, noted, looked.applied):
                noted = looked.applied
            else:  # the keys were put back meanwhile, and are older than what this process has seen
                noted = await self._purges.erased_up_to(hospital.origin)
                looked.begin_again(min(noted, looked.applied))
        return erased

    async def _note_offices(self, hospital: HospitalRow) -> None:
        """Before this process opens anything for them: an office that is replaced later still holds its files."""
        names = frozenset(self._offices(hospital.id))
        if self._noted_offices.get(hospital.origin) != names:
            await self._purges.note_offices(first_of(hospital.origin), sorted(names))
            self._noted_offices[hospital.origin] = names

    async def _found(self, hospital: HospitalRow, after: int, through: int) -> list[_Found]:
        found = [
            _Found(position, stream_id, type_)
            for type_ in (RECORD_DESTROYED, DESTRUCTIONS_UPHELD)
            for position, stream_id in await self._events.positions_of(hospital.id, type_, after, through)
        ]
        return sorted(found)

    async def _once_more(self, hospital: HospitalRow, looked: _Looked, dropped: Dropped) -> int:
        """What could not be applied, if it still stands there: the right bytes may have been put back."""
        erased = 0
        for position, _ in sorted(looked.refused.items())[:RETRIED_MAX]:
            if still := await self._found(hospital, position - 1, position):
                erased += await self._apply(hospital, looked, still[0], dropped)
            else:
                del looked.refused[position]
        return erased

    async def _apply(self, hospital: HospitalRow, looked: _Looked, found: _Found, dropped: Dropped) -> int:
        if found.type == DESTRUCTIONS_UPHELD:
            gone = await self._apply_list(hospital, looked, found, dropped)
        else:
            gone = await self._apply_one(hospital, looked, found, dropped)
        if gone is None:
            looked.refused[found.position] = found
            return 0
        looked.refused.pop(found.position, None)
        return gone

    async def _apply_one(self, hospital: HospitalRow, looked: _Looked, found: _Found, dropped: Dropped) -> int | None:
        gone = await self._erase(hospital, found.stream_id, found.position, lost=False)
        if gone is None:
            if found.position not in looked.refused:
                _log.error(_NOT_SEALED, extra={"hospital": hospital.id, "position": found.position})
            return None
        await dropped(hospital.id, found.stream_id)
        return gone

    async def _apply_list(self, hospital: HospitalRow, looked: _Looked, found: _Found, dropped: Dropped) -> int | None:
        """Keys that are older than the succession lack the key of its list too: then any record may be on it."""
        listed = await self._upheld.listed(hospital.id, found.position)
        if isinstance(listed, Unopened):
            if found.position not in looked.refused:
                _log.error(_LIST_UNOPENED, extra={"hospital": hospital.id, "position": found.position})
            if listed.keyless:
                await self._held_back.hold(hospital.origin, found.position)
            return None
        erased, origin = 0, first_of(hospital.origin)
        unapplied = await self._purges.unapplied([(origin, record_id) for record_id in listed])
        for record_id, position in listed.items():
            if (origin, record_id) in unapplied:
                erased += bool(await self._erase(hospital, UUID(bytes=record_id), position, lost=True))
            await dropped(hospital.id, UUID(bytes=record_id))
        return erased

    async def _erase(self, hospital: HospitalRow, stream_id: UUID, position: int, *, lost: bool) -> bool | None:
        """Whether the key went; None where its RecordDestroyed (that is not `lost`) does not open under it."""
        stream = (first_of(hospital.origin), stream_id.bytes)
        key = await self._keys.living(stream)
        self._keys.forget(stream)
        gone = await self._with_key(hospital, stream, position, key if isinstance(key, RecordKey) else None, lost=lost)
        self._keys.forget(stream)  # an event that was opened meanwhile brought it back
        if gone:
            _log.info("a destroyed record's key is gone", extra={"hospital": hospital.id, "position": position})
        return gone

    async def _with_key(
        self, hospital: HospitalRow, stream: StreamOf, position: int, key: RecordKey | None, *, lost: bool
    ) -> bool | None:
        """Whether it went. Without a key that opens it goes all the same: then it is not known who else holds the
        record. With one that does not open the destruction itself it stays, None: its bytes are damaged, or nobody of
        this ledger sealed it.
        """
        told = await self._told(hospital.id, stream, position, key, lost=lost) if key else _Told()
        if told is None:
            return None
        offices = {*self._offices(hospital.id), *await self._purges.offices(stream[0])}
        holders = holders_of(told.handed_out, sorted(offices))
        return await self._purges.erase(stream, told.statement(position), self._clock(), holders, known=told.known)

    async def _told(
        self, hospital: str, stream: StreamOf, position: int, key: RecordKey, *, lost: bool
    ) -> _Told | None:
        """What the record's events say under its key; None where its destruction does not open. Of a lost one other
        events are lost too, and at its position stands another by now.
        """
        told = _Told(known=not lost)
        for row in await self._telling(hospital, stream):
            envelope = decode(row.envelope)
            opening = open_body(key, envelope, row.body)
            destruction = row.type == RECORD_DESTROYED
            if not isinstance(opening, Opened):
                if destruction and row.position == position and not lost:
                    return None
                told.known = False
            elif not destruction:
                told.handed_out.append((row.type, opening.plaintext))
            elif row.position == position:
                told.plaintext = opening.plaintext
                told.salt = key.salt(envelope.stream_id, envelope.stream_version)
        return told

    async def _telling(self, hospital: str, stream: StreamOf) -> list[StoredRow]:
        """The events by which plaintext was handed out, and the destruction itself."""
        found: list[StoredRow] = []
        version = 0
        while True:
            rows = await self._events.read_stream(hospital, UUID(bytes=stream[1]), version)
            found += [row for row in rows if row.type in HANDS_OUT or row.type == RECORD_DESTROYED]
            if is_last_page(rows, ROWS_MAX):
                return found
            version = rows[-1].version
