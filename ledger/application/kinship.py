"""Who is whose newborn, over patients that were merged: no two of one family are one person."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from ledger.application.hospital_ledger import HospitalLedger
from ledger.application.reservation_keys import ReservationKeys
from ledger.domain.decide_newborn import NEWBORN
from ledger.domain.state import PatientState, RecordState, StreamState, is_destroyed
from ledger.store.reading import EventReader


class Kinship:
    """Reads what records say of newborns, and which patients were merged, as the database has it now."""

    def __init__(self, ledger: HospitalLedger, reader: EventReader, keys: ReservationKeys) -> None:
        self._ledger = ledger
        self._reader = reader
        self._keys = keys

    async def survivors(self, patient_ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """Of each of these patients that was merged into another one: into whom."""
        found = {each: await self._patient(each) for each in sorted(set(patient_ids))}
        return {each: state.merged_into for each, state in found.items() if state and state.merged_into}

    async def families(self, patient_ids: Iterable[UUID]) -> tuple[frozenset[UUID], ...]:
        """Of each record that says that a newborn is one of these persons: its patient, and who its newborns are.

        Each as the patient who goes on. A record that is destroyed, or in error, says nothing any more.
        """
        named = set(patient_ids)
        for each in sorted(named):
            state = await self._patient(each)
            named |= state.absorbed if state else frozenset()
        records = dict.fromkeys([found for each in sorted(named) for found in await self._records(each)])
        families = [await self._family(each) for each in records]
        return tuple(each for each in families if each)

    async def _records(self, patient_id: UUID) -> list[UUID]:
        key = self._keys.key(NEWBORN, (str(patient_id),))
        rows = await self._reader.reservations_in_group(self._ledger.hospital, NEWBORN, key)
        return [row.stream_id for row in rows if row.stream_id is not None]

    async def _family(self, record_id: UUID) -> frozenset[UUID]:
        loaded = await self._ledger.load(record_id)
        record = loaded.state if loaded else None
        if not isinstance(record, RecordState) or is_destroyed(record) or record.archiving.in_error:
            return frozenset()
        members = family_of(record)
        survivors = await self.survivors(members)
        return frozenset(survivors.get(each, each) for each in members)

    async def _patient(self, patient_id: UUID) -> PatientState | None:
        loaded = await self._ledger.load(patient_id)
        return loaded.state if loaded and isinstance(loaded.state, PatientState) else None


def family_of(record: StreamState) -> set[UUID]:
    """The patient of a record, and who its newborns are, of those that stand."""
    if not isinstance(record, RecordState):
        return set()
    born = (each for each in record.newborns.values() if not each.withdrawn)
    return {record.patient_id, *(each.patient_id for each in born if each.patient_id is not None)}
