"""Keys that no event of the ledger needs: of records that were lost whole, of refused commands, or made ahead in vain.

While lost events may still come back their key must stay. Once two persons have given them up (LogSucceeded) it opens
nothing but what somebody else still holds of them, and goes: with a tombstone and a row of the purge register, since
whoever took plaintext may hold it yet.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from ledger.keys.holders import holders_of
from ledger.keys.key_rows import KeyRows
from ledger.keys.purge_rows import PurgeRows, Statement
from ledger.store.hospitals import HospitalRow
from ledger.store.reading import EventReader
from ledger.trust.lineage import LOG_SUCCEEDED, first_of

SETTLED_SECONDS = 3600.0
"""How old a key must be before it counts as one without a record; far above what a command may take."""
_PAGE = 500
_WINDOW = 20_000


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The last LogSucceeded of a ledger: what is not there before it was given up by it."""

    position: int
    at: datetime
    """As the ledger has recorded it; the key of a record that came later is none of these."""


class LostKeys:
    """Looks at one hospital after the other. Raises StoreUnavailable."""

    def __init__(self, rows: KeyRows, purges: PurgeRows, events: EventReader) -> None:
        self._rows = rows
        self._purges = purges
        self._events = events

    async def without_record(self, hospital: HospitalRow, before: datetime | None = None) -> AsyncIterator[UUID]:
        """Every stream that has a living key and no event, in order; only keys that were made before a time."""
        after = UUID(int=0)
        while page := await self._rows.living(first_of(hospital.origin), after, SETTLED_SECONDS, _PAGE, before):
            there = await self._events.streams_among(hospital.id, page)
            for stream_id in page:
                if stream_id not in there:
                    yield stream_id
            after = page[-1]

    async def head(self, hospital: HospitalRow) -> int:
        """The ledger's last position."""
        return await self._events.head(hospital.id)

    async def given_up(self, hospital: HospitalRow) -> GivenUp | None:
        """What the last LogSucceeded says; None where nothing was ever given up."""
        head, found = await self._events.head(hospital.id), None
        for after in range(0, head, _WINDOW):
            positions = await self._events.positions_of(hospital.id, LOG_SUCCEEDED, after, min(after + _WINDOW, head))
            found = positions[-1][0] if positions else found
        if found is None:
            return None
        (row,) = await self._events.read_positions(hospital.id, found - 1, 1)
        return GivenUp(found, datetime.fromtimestamp(row.recorded_at / 1_000_000, UTC))

    async def destroy(
        self, hospital: HospitalRow, stream_id: UUID, position: int, at: datetime, offices: Sequence[str]
    ) -> bool:
        """Destroys a key by the LogSucceeded at a position; False where it was gone. Who else holds the record is not
        known but for the archive offices: its events are not there to say so.
        """
        origin, statement = first_of(hospital.origin), Statement(position, b"", b"")
        ever = [*offices, *await self._purges.offices(origin)]
        return await self._purges.erase((origin, stream_id.bytes), statement, at, holders_of((), ever), known=False)
