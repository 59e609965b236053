"""Destroys the key of every record that has a RecordDestroyed, and takes up in the register what must be known later.

Any number of processes may do so side by side: the tombstone and the row of the register are one statement, and
whoever comes second finds the key gone. Each drops what it remembers of the record in its own memory.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from ledger.clock import Clock
from ledger.keys.holders import HANDS_OUT, holders_of
from ledger.keys.key_rows import StreamOf
from ledger.keys.key_store import KeyStore
from ledger.keys.purge_rows import PurgeRows, Statement
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
_log = logging.getLogger(__name__)

Dropped = Callable[[str, UUID], Awaitable[None]]
"""Told of a hospital and a record whose key is gone: whoever remembers anything of it forgets it."""


@dataclass
class _Looked:
    """How far this process has read a ledger for destructions."""

    upto: int = 0
    refused: dict[int, UUID] = field(default_factory=dict[int, UUID])
    """By position the streams of destructions that could not be applied; what comes behind them is applied."""

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
    ) -> None:
        """`offices`: from a hospital to every archive office that writes readable files of its records."""
        self._keys = keys
        self._purges = purges
        self._events = events
        self._offices = offices
        self._clock = clock
        self._looked: dict[str, _Looked] = {}

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
            found = await self._events.positions_of(hospital.id, RECORD_DESTROYED, looked.upto, through)
            for position, stream_id in found:
                erased += await self._apply(hospital, looked, position, stream_id, dropped)
            looked.upto = through
            if await self._purges.note_erased(hospital.origin, noted, looked.applied):
                noted = looked.applied
            else:  # the keys were put back meanwhile, and are older than what this process has seen
                noted = await self._purges.erased_up_to(hospital.origin)
                looked.begin_again(min(noted, looked.applied))
        return erased

    async def _once_more(self, hospital: HospitalRow, looked: _Looked, dropped: Dropped) -> int:
        """What could not be applied, if it still stands there: the right bytes may have been put back."""
        erased = 0
        for position, stream_id in sorted(looked.refused.items())[:RETRIED_MAX]:
            if await self._events.positions_of(hospital.id, RECORD_DESTROYED, position - 1, position):
                erased += await self._apply(hospital, looked, position, stream_id, dropped)
            else:
                del looked.refused[position]
        return erased

    async def _apply(
        self, hospital: HospitalRow, looked: _Looked, position: int, stream_id: UUID, dropped: Dropped
    ) -> bool:
        gone = await self._erase(hospital, stream_id, position)
        if gone is None:
            if position not in looked.refused:
                _log.error(_NOT_SEALED, extra={"hospital": hospital.id, "position": position})
            looked.refused[position] = stream_id
            return False
        await dropped(hospital.id, stream_id)
        looked.refused.pop(position, None)
        return gone

    async def _erase(self, hospital: HospitalRow, stream_id: UUID, position: int) -> bool | None:
        stream = (first_of(hospital.origin), stream_id.bytes)
        key = (await self._keys.find([stream]))[stream]
        self._keys.forget(stream)
        gone = await self._with_key(hospital, stream, position, key if isinstance(key, RecordKey) else None)
        self._keys.forget(stream)  # an event that was opened meanwhile brought it back
        if gone:
            _log.info("a destroyed record's key is gone", extra={"hospital": hospital.id, "position": position})
        return gone

    async def _with_key(
        self, hospital: HospitalRow, stream: StreamOf, position: int, key: RecordKey | None
    ) -> bool | None:
        """Whether it went. Without a key that opens it goes all the same: then it is not known who else holds the
        record. With one that does not open the destruction itself it stays, None: its bytes are damaged, or nobody of
        this ledger sealed it.
        """
        known, handed_out, statement = key is not None, list[tuple[str, bytes]](), Statement(position, b"", b"")
        for row in await self._telling(hospital.id, stream) if key else ():
            envelope = decode(row.envelope)
            opening = open_body(key, envelope, row.body) if key else None
            if not isinstance(opening, Opened) or key is None:
                if row.position == position:
                    return None
                known = False
            elif row.position == position:
                salt = key.salt(envelope.stream_id, envelope.stream_version)
                statement = Statement(position, opening.plaintext, salt)
            else:
                handed_out.append((row.type, opening.plaintext))
        holders = holders_of(handed_out, self._offices(hospital.id))
        return await self._purges.erase(stream, statement, self._clock(), holders, known=known)

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
