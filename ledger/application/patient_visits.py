"""Every record of a patient, over linked and merged identities, as far as retention and disposal ask."""

from __future__ import annotations

from collections.abc import Container, Mapping
from uuid import UUID

from ledger.application.errors import UnknownPatient
from ledger.application.hospital_ledger import HospitalLedger
from ledger.application.reservation_keys import ReservationKeys
from ledger.domain.decision import Visit
from ledger.domain.retention import last_said_end, registered_here
from ledger.domain.state import PatientState, RecordState, StreamState, is_destroyed
from ledger.domain.values import Phase
from ledger.store.reading import ROWS_MAX, EventReader

STAYS_NAMED_MAX = 1000
"""Stays that the answer of a command names."""
_NOBODYS = frozenset({Phase.VOIDED, Phase.DESTROYED})


class PatientVisits:
    """Reads a patient's records. A link that was taken back no longer leads to others; a date it moved stays moved."""

    def __init__(
        self, ledger: HospitalLedger, reader: EventReader, keys: ReservationKeys, page: int = ROWS_MAX
    ) -> None:
        self._ledger = ledger
        self._reader = reader
        self._keys = keys
        self._page = page

    async def of_record(self, record_id: UUID, record: RecordState) -> tuple[Visit, ...]:
        """The visits of the record's patient, the record itself among them."""
        numbers = {record.case_number, *(await self.persons(record.patient_id)).values()}
        return await self._under(numbers, {record_id: _visit(record_id, record)})

    async def of_patient(self, patient_id: UUID) -> tuple[Visit, ...]:
        """The visits of the patient and of everybody who is, or may be, the same person. Raises UnknownPatient."""
        persons = await self.persons(patient_id)
        if patient_id not in persons:
            raise UnknownPatient(patient_id)
        return await self._under(set(persons.values()), {}, of=frozenset(persons))

    async def registered_by(self, system: str, persons: Mapping[UUID, str]) -> tuple[UUID, ...]:
        """Stays of these patients, each with the case number, that a source registered; as many as an answer names."""
        found = set[UUID]()
        for case_number in sorted(set(persons.values())):
            key = self._keys.key("visit", (case_number,))
            async for row in self._reader.all_in_group(self._ledger.hospital, "visit", key, self._page):
                loaded = await self._ledger.load(row.stream_id) if row.stream_id else None
                if loaded is not None and _registered_there(loaded.state, system, persons):
                    found.add(loaded.stream_id)
        return tuple(sorted(found)[:STAYS_NAMED_MAX])

    async def _under(
        self, case_numbers: set[str], found: dict[UUID, Visit], of: frozenset[UUID] | None = None
    ) -> tuple[Visit, ...]:
        """The stays that were ever claimed under these numbers; of these patients alone, where they are named."""
        for case_number in sorted(case_numbers):
            key = self._keys.key("visit", (case_number,))
            # To the last one: keys are in no order of time, and the visit that is left out may be the newest.
            async for row in self._reader.all_in_group(self._ledger.hospital, "visit", key, self._page):
                if row.stream_id is not None and row.stream_id not in found:
                    found |= await self._one(row.stream_id, of)
        return tuple(found.values())

    async def _one(self, stream_id: UUID, of: frozenset[UUID] | None) -> dict[UUID, Visit]:
        loaded = await self._ledger.load(stream_id)
        if loaded is None or not isinstance(loaded.state, RecordState) or is_destroyed(loaded.state):
            # What is destroyed asks for nothing any longer, and the dates that it moved stay moved.
            return {}
        if of is not None and loaded.state.patient_id not in of:
            # Somebody else's by now: it counts for this patient's terms, and is not shown as the patient's.
            return {}
        return {stream_id: _visit(stream_id, loaded.state)}

    async def persons(self, patient_id: UUID) -> dict[UUID, str]:
        """The patient and everybody who is, or may be, the same person, each with the case number."""
        numbers, waiting, seen = dict[UUID, str](), {patient_id}, set[UUID]()
        while waiting:
            patient_id = waiting.pop()
            seen.add(patient_id)
            loaded = await self._ledger.load(patient_id)
            if loaded is None or not isinstance(loaded.state, PatientState):
                continue
            numbers[patient_id] = loaded.state.case_number
            others = loaded.state.linked | loaded.state.absorbed
            waiting |= (others | ({loaded.state.merged_into} if loaded.state.merged_into else set[UUID]())) - seen
        return numbers


def _registered_there(state: StreamState, system: str, persons: Container[UUID]) -> bool:
    """Whether it is a stay that a source registered for one of these, and may be somebody else's."""
    if not isinstance(state, RecordState) or state.phase in _NOBODYS or state.archiving.in_error:
        return False
    return state.source_system == system and state.patient_id in persons


def _visit(record_id: UUID, record: RecordState) -> Visit:
    standing = (record.visit_type, record.retention_class, record.phase, last_said_end(record))
    return Visit(record_id, *standing, record.archiving.in_error, registered_here(record))
