"""What decisions on destruction lists, and on the records that stand on them, ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from ledger.application.hospital_ledger import HospitalLedger
from ledger.application.reservation_keys import ReservationKeys
from ledger.domain.decision import DISPOSAL, Facts, RecordAtHand
from ledger.domain.disposal_list import DisposalListState
from ledger.domain.disposal_list_rules import RECORDS_MAX
from ledger.domain.state import RecordState
from ledger.store.reading import EventReader


class DisposalFacts:
    """Reads lists and their records."""

    def __init__(self, ledger: HospitalLedger, reader: EventReader, keys: ReservationKeys) -> None:
        self._ledger = ledger
        self._reader = reader
        self._keys = keys

    async def at_hand(self, record_ids: Sequence[UUID]) -> dict[UUID, RecordAtHand]:
        """Those of the records that are there, as they stand; a list that is too long is refused unread."""
        found: dict[UUID, RecordAtHand] = {}
        for record_id in record_ids[:RECORDS_MAX]:
            loaded = await self._ledger.load(record_id)
            if loaded is not None and isinstance(loaded.state, RecordState):
                found[record_id] = RecordAtHand(record_id, loaded.state, loaded.head_leaf)
        return found

    async def of_list(self, facts: Facts, list_id: UUID) -> Facts:
        """With the list that a command on a record names, and how often it was bumped BEFORE it was read."""
        bumps = await self.bumps(list_id)
        loaded = await self._ledger.load(list_id)
        state = loaded.state if loaded else None
        listed = state if isinstance(state, DisposalListState) else None
        return replace(facts, disposal_list=listed, list_bumps=bumps)

    async def bumps(self, list_id: UUID) -> int:
        """How often destructions by the list, and its report, bumped it."""
        row = await self._reader.reservation(self._ledger.hospital, DISPOSAL, self._keys.key(DISPOSAL, (str(list_id),)))
        return row.counter if row else 0
