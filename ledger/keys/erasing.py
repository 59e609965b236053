"""Destroys the key of every record that has a RecordDestroyed, and takes up in the register what must be known later.

Any number of processes may do so side by side: the tombstone and the row of the register are one statement, and
whoever comes second finds the key gone. Each drops what it remembers of the record in its own memory.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
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
RECORD_DESTROYED = "ledger.v1.RecordDestroyed"
_NOT_SEALED = "a destruction was not sealed under its record's key, which stays"
_log = logging.getLogger(__name__)

Dropped = Callable[[str, UUID], Awaitable[None]]
"""Told of a hospital and a record whose key is gone: whoever remembers anything of it forgets it."""


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
        self._looked: dict[str, int] = {}

    async def behind(self, hospital: HospitalRow) -> int:
        """How many events of the hospital were not looked at yet. A successor of a log is looked at from its start."""
        return max(await self._events.head(hospital.id) - self._looked.get(hospital.origin, 0), 0)

    async def catch_up(self, hospital: HospitalRow, dropped: Dropped) -> int:
        """Applies every destruction up to the head; how many keys went. Broken off anywhere, the next call goes on.

        Raises StoreUnavailable, KeysUnavailable.
        """
        # Asked at each look: who puts older keys back under a running server sets it to the beginning.
        after, erased = await self._purges.erased_up_to(hospital.origin), 0
        # At first nothing of what lies further back can be in this process's memory.
        after = min(after, self._looked.get(hospital.origin, after))
        head = await self._events.head(hospital.id)  # second: what is noted was a head before
        if after > head:
            # The ledger was put back below what was read: what stands there now, or is refilled, was not looked at.
            await self._purges.begin_again(hospital.origin)
            after = 0
        while after < head:
            through = min(after + WINDOW, head)
            for position, stream_id in await self._events.positions_of(hospital.id, RECORD_DESTROYED, after, through):
                gone = await self._erase(hospital, stream_id, position)
                if gone is not None:
                    erased += gone
                    await dropped(hospital.id, stream_id)
            noted = await self._purges.note_erased(hospital.origin, after, through)
            # Not noted: the keys were put back meanwhile, and are older than what this process has seen.
            after = through if noted else await self._purges.erased_up_to(hospital.origin)
            self._looked[hospital.origin] = after
        self._looked[hospital.origin] = after
        return erased

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
        record. With one that does not open the destruction itself it stays, None: nobody of this ledger sealed that.
        """
        known, handed_out, statement = key is not None, list[tuple[str, bytes]](), Statement(position, b"", b"")
        for row in await self._telling(hospital.id, stream) if key else ():
            envelope = decode(row.envelope)
            opening = open_body(key, envelope, row.body) if key else None
            if not isinstance(opening, Opened) or key is None:
                if row.position == position:
                    _log.error(_NOT_SEALED, extra={"hospital": hospital.id, "position": position})
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
