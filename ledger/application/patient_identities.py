"""Who bears an identifier, and who may be the same person: the first is a fact, the second a question for a person."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from ledger.application.reservation_keys import ReservationKeys
from ledger.domain.decide_patient import likeness
from ledger.domain.decision import Bearer
from ledger.domain.patient_identifiers import bearer_of
from ledger.domain.values import PatientDetails
from ledger.store.reading import EventReader, ReservationRow

ALIKE_MAX = 20
"""Possible matches that are named."""


class PatientIdentities:
    """Reads what registrations claimed of identifiers and of likeness."""

    def __init__(self, hospital: str, reader: EventReader, keys: ReservationKeys) -> None:
        self._hospital = hospital
        self._reader = reader
        self._keys = keys

    async def bearers(self, identifiers: Sequence[tuple[str, str]]) -> tuple[Bearer | None, ...]:
        """What the claim of each identifier says; None = nobody ever claimed it."""
        keys = [("identifier", self._keys.key("identifier", each)) for each in identifiers]
        if not keys:
            return ()
        rows = await self._reader.reservation_many(self._hospital, keys)
        return tuple(_bearer(rows[key]) if key in rows else None for key in keys)

    async def alike(self, details: PatientDetails) -> tuple[UUID, ...]:
        """Patients that were registered with the same name, birth date and gender."""
        parts = likeness(details)
        if not parts:
            return ()
        key = self._keys.key("alike", parts)
        rows = await self._reader.reservations_in_group(self._hospital, "alike", key, limit=ALIKE_MAX)
        return tuple(row.stream_id for row in rows if row.stream_id is not None)


def _bearer(row: ReservationRow) -> Bearer:
    return Bearer(bearer_of(row.value, row.stream_id), row.value)
