"""Who bears an identifier, and who may be the same person: the first is a fact, the second a question for a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from ledger.application.hospital_ledger import HospitalLedger
from ledger.application.reservation_keys import ReservationKeys
from ledger.domain.decide_patient import likeness
from ledger.domain.decision import Bearer
from ledger.domain.patient_identifiers import bearer_of
from ledger.domain.state import PatientState
from ledger.domain.stated_identifiers import Item
from ledger.domain.values import PatientDetails
from ledger.store.reading import EventReader, ReservationRow

ALIKE_MAX = 20
"""Possible matches that are named."""


class PatientIdentities:
    """Reads what registrations claimed of identifiers and of likeness."""

    def __init__(self, ledger: HospitalLedger, reader: EventReader, keys: ReservationKeys) -> None:
        self._ledger = ledger
        self._hospital = ledger.hospital
        self._reader = reader
        self._keys = keys

    async def bearers(self, identifiers: Sequence[tuple[str, str]]) -> tuple[Bearer | None, ...]:
        """What the claim of each identifier says; None = nobody ever claimed it."""
        keys = [("identifier", self._keys.key("identifier", each)) for each in identifiers]
        if not keys:
            return ()
        rows = await self._reader.reservation_many(self._hospital, keys)
        bearers = {key: _bearer(row) for key, row in rows.items()}
        # Few patients bear what one command names, mostly one: each is looked at once.
        survivors = {each: await self._survivor(each) for each in {each.patient_id for each in bearers.values()}}
        found = {key: replace(each, survivor_id=survivors[each.patient_id]) for key, each in bearers.items()}
        return tuple(found.get(key) for key in keys)

    async def _survivor(self, patient_id: UUID | None) -> UUID | None:
        """Into whom the patient was merged, if that stands now."""
        loaded = await self._ledger.load(patient_id) if patient_id else None
        return loaded.state.merged_into if loaded and isinstance(loaded.state, PatientState) else None

    async def merged_with(self, patient_id: UUID) -> tuple[UUID, ...]:
        """The patient, then everybody who is the same person by merges that stand, as this process last saw them."""
        found: dict[UUID, None] = {}
        waiting = [patient_id]
        while waiting:
            found[each := waiting.pop()] = None
            loaded = self._ledger.known(each) or await self._ledger.load(each)
            if loaded is not None and isinstance(loaded.state, PatientState):
                into = {loaded.state.merged_into} if loaded.state.merged_into else set[UUID]()
                waiting += sorted((loaded.state.absorbed | into) - set(found) - set(waiting))
        return tuple(found)

    async def not_about(self, item: Item, bearers: Iterable[Bearer | None]) -> frozenset[UUID]:
        """Of who bears an item's identifiers the persons from whom it was taken back, whichever half it was."""
        persons = {each.person_id for each in bearers if each is not None and each.person_id is not None}
        return frozenset([each for each in persons if item in await self.taken_back(each)])

    async def halves(self, patient_id: UUID) -> dict[UUID, str]:
        """The patient and who is merged with it, each with the case number."""
        found = dict[UUID, str]()
        for each in await self.merged_with(patient_id):
            loaded = await self._ledger.load(each)
            if loaded is not None and isinstance(loaded.state, PatientState):
                found[each] = loaded.state.case_number
        return found

    async def taken_back(self, patient_id: UUID) -> frozenset[Item]:
        """Items that were taken back from the patient, or from who is merged with it."""
        found = frozenset[Item]()
        for each in await self.merged_with(patient_id):
            loaded = await self._ledger.load(each)
            if loaded is not None and isinstance(loaded.state, PatientState):
                found |= loaded.state.taken_back
        return found

    async def alike(self, details: PatientDetails) -> tuple[UUID, ...]:
        """Patients who have the same name, birth date and gender, as this process last saw them."""
        parts = likeness(details)
        if not parts:
            return ()
        key = self._keys.key("alike", parts)
        rows = await self._reader.reservations_in_group(self._hospital, "alike", key, limit=ALIKE_MAX)
        return tuple([each.stream_id for each in rows if each.stream_id and await self._still(each.stream_id, parts)])

    async def _still(self, patient_id: UUID, parts: tuple[str, ...]) -> bool:
        """Whether the patient has them now: a claim stays for ever, also of who is called otherwise by now."""
        loaded = self._ledger.known(patient_id) or await self._ledger.load(patient_id)
        return loaded is not None and isinstance(loaded.state, PatientState) and likeness(loaded.state.details) == parts

    async def likeness_claimed(self, details: PatientDetails, patient_id: UUID) -> bool:
        """Whether the patient was found by this name, birth date and gender before."""
        parts = likeness(details)
        if not parts:
            return False
        key = self._keys.key("alike", (*parts, str(patient_id)))
        return await self._reader.reservation(self._hospital, "alike", key) is not None


def _bearer(row: ReservationRow) -> Bearer:
    return Bearer(bearer_of(row.value, row.stream_id), row.value)
