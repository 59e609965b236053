"""What decisions on destruction lists, and on the records that stand on them, ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from uuid import UUID

from ledger.application.hospital_ledger import HospitalLedger
from ledger.application.reservation_keys import ReservationKeys
from ledger.application.stream_cache import Loaded
from ledger.domain.decision import DISPOSAL, Facts, RecordAtHand
from ledger.domain.disposal_commands import DrawUpDisposalList
from ledger.domain.disposal_list import DisposalListState
from ledger.domain.disposal_list_rules import RECORDS_MAX
from ledger.domain.disposal_values import DisposalListPhase, ListedRecord, ReportedRecord
from ledger.domain.keeping_values import DisposalOpinion
from ledger.domain.left_out import against_destruction
from ledger.domain.refusal import Refused
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

    async def named(self, command: object, listed: Loaded | None) -> dict[UUID, RecordAtHand]:
        """The records that are to stand on a list, or stand on it."""
        if isinstance(command, DrawUpDisposalList):
            return await self.at_hand(command.record_ids)
        state = listed.state if listed else None
        return await self.at_hand(
            [each.record_id for each in state.records] if isinstance(state, DisposalListState) else ()
        )

    async def reported(
        self,
        listed: Loaded | None,
        outcomes: Sequence[ReportedRecord],
        at_the_end: Callable[[Loaded], Awaitable[Facts]],
    ) -> dict[UUID, RecordAtHand]:
        """The records of a report, those that are left out each with what holds against its destruction now."""
        state = listed.state if listed else None
        on_list = {each.record_id: each for each in state.records} if isinstance(state, DisposalListState) else {}
        found = await self.at_hand([each.record_id for each in outcomes])
        left_out = {each.record_id for each in outcomes if not each.destroyed} & on_list.keys() & found.keys()
        for record_id in sorted(left_out):
            loaded = await self._ledger.load(record_id)
            if listed is not None and loaded is not None and isinstance(loaded.state, RecordState):
                rules = await _against(loaded, loaded.state, on_list[record_id], listed.stream_id, at_the_end)
                found[record_id] = replace(found[record_id], against=rules)
        return found

    async def of_list(self, facts: Facts, list_id: UUID) -> Facts:
        """With the list that a command on a record names, and how often it was bumped BEFORE it was read."""
        bumps = await self.bumps(list_id)
        loaded = await self._ledger.load(list_id)
        state = loaded.state if loaded else None
        listed = state if isinstance(state, DisposalListState) else None
        return replace(facts, disposal_list=listed, list_bumps=bumps)

    async def open_lists(self, loaded: Loaded) -> frozenset[UUID]:
        """Approved lists, not reported yet, that name the record as it was appraised for destruction."""
        record = loaded.state
        disposal = record.archiving.disposal if isinstance(record, RecordState) else None
        if disposal is None or disposal.opinion is not DisposalOpinion.DESTROY:
            return frozenset()
        hospital = self._ledger.hospital
        # A list that was drawn up before the appraisal names what somebody said of the record earlier.
        since = await self._reader.position_of(hospital, loaded.stream_id, disposal.record_version)
        drawn_up = await self._reader.list_streams(hospital, DISPOSAL, since or 0)
        open_lists = [
            each.stream_id
            for each in drawn_up
            if _names(await self._ledger.load(each.stream_id), loaded.stream_id, disposal.record_version)
        ]
        return frozenset(open_lists)

    async def bumps(self, list_id: UUID) -> int:
        """How often destructions by the list, and its report, bumped it."""
        row = await self._reader.reservation(self._ledger.hospital, DISPOSAL, self._keys.key(DISPOSAL, (str(list_id),)))
        return row.counter if row else 0


def _names(loaded: Loaded | None, record_id: UUID, appraised: int) -> bool:
    """Whether it is a list by which the record may be destroyed, as it was after this version."""
    listed = loaded.state if loaded else None
    if not isinstance(listed, DisposalListState) or listed.phase is not DisposalListPhase.APPROVED:
        return False
    return any(each.record_id == record_id and each.record_version > appraised for each in listed.records)


async def _against(
    loaded: Loaded,
    record: RecordState,
    listed: ListedRecord,
    list_id: UUID,
    at_the_end: Callable[[Loaded], Awaitable[Facts]],
) -> frozenset[str]:
    try:
        facts = await at_the_end(loaded)
    except Refused as unreadable:
        # Without its rules the destruction is refused, by this alone.
        return frozenset(each.rule for each in unreadable.violations)
    return against_destruction(record, listed, list_id, facts)
