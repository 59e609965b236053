"""Who bears an identifier, and who may be the same person: the first is a fact, the second a question for a person."""

from __future__ import annotations

from uuid import UUID

from ledger.application.command_table import Asked
from ledger.application.reservation_keys import ReservationKeys
from ledger.domain.commands import RegisterPatient
from ledger.domain.decide_patient import exact_identifiers, likeness
from ledger.domain.values import PatientDetails
from ledger.store.reading import EventReader

ALIKE_MAX = 20
"""Possible matches that are named."""


class PatientIdentities:
    """Reads what registrations claimed of identifiers and of likeness."""

    def __init__(self, hospital: str, reader: EventReader, keys: ReservationKeys) -> None:
        self._hospital = hospital
        self._reader = reader
        self._keys = keys

    async def bearers(self, asked: Asked) -> tuple[UUID | None, ...]:
        """The patient that bears each exact identifier of a registration from a source; None = nobody yet."""
        if not isinstance(asked.command, RegisterPatient) or asked.context.source is None:
            return ()
        keys = [("identifier", self._keys.key("identifier", each)) for each in exact_identifiers(asked.command.details)]
        if not keys:
            return ()
        rows = await self._reader.reservation_many(self._hospital, keys)
        return tuple(rows[key].stream_id if key in rows else None for key in keys)

    async def alike(self, details: PatientDetails) -> tuple[UUID, ...]:
        """Patients that were registered with the same name, birth date and gender."""
        parts = likeness(details)
        if not parts:
            return ()
        key = self._keys.key("alike", parts)
        rows = await self._reader.reservations_in_group(self._hospital, "alike", key, limit=ALIKE_MAX)
        return tuple(row.stream_id for row in rows if row.stream_id is not None)
