"""Who a patient is, over all identities that were merged or linked: answers from the view patient_index."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.api.v1 import boards_pb2
from ledger.views.errors import UnknownPatient
from ledger.views.page_size import PAGE_ROWS_MAX, page_rows
from projections.episode_message import linked_newborn
from projections.page_token import read_token, write_token
from projections.patient_index.view import PatientIndex
from projections.reading import ViewReader

IDENTITIES_MAX = 1_000
_BIRTHS_MAX = 20
_NO_ID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Identities:
    """The patient who goes on, that patient's number, and the identities that an index shows, with their standings."""

    patient_id: UUID
    case_number: str
    rows: list[tuple[Any, ...]]
    cut: bool

    @property
    def standings(self) -> dict[UUID, boards_pb2.IdentityStanding.ValueType]:
        """How each belongs to the patient."""
        return {row[0]: row[1] for row in self.rows}


class IdentityQueries:
    """Identities and births. Every answer waits for `min_position` first, as Freshness says; UnknownPatient."""

    def __init__(self, reader: ViewReader) -> None:
        self._reader = reader
        self._index = PatientIndex()

    async def identities_page(
        self, hospital: str, patient_id: UUID | None, case_number: str, page: tuple[int, str], min_position: int
    ) -> boards_pb2.ListPatientIdentitiesResponse:
        """Every identity by id, which never changes: each comes once. BadPageSize, BadPageToken."""
        limit = page_rows(page[0], PAGE_ROWS_MAX)
        patient_id = await self.patient_of(hospital, patient_id, case_number, min_position)
        listed = f"identities of {patient_id}"
        (after,) = read_token(listed, page[1], (_NO_ID,))
        known = await self.of(hospital, patient_id, min_position)
        rows = await self._rows(hospital, "identity_page", (patient_id, after, limit + 1, None))
        return boards_pb2.ListPatientIdentitiesResponse(
            patient_id=str(known.patient_id),
            identities=map(identity, rows[:limit]),
            next_page_token=write_token(listed, rows[limit - 1][0]) if len(rows) > limit else "",
        )

    async def births_page(
        self, hospital: str, patient_id: UUID | None, case_number: str, page: tuple[int, str], min_position: int
    ) -> boards_pb2.ListPatientBirthsResponse:
        """Births of the own and the merged identities by record and newborn, which never change: each comes once."""
        limit = page_rows(page[0], PAGE_ROWS_MAX)
        patient_id = await self.patient_of(hospital, patient_id, case_number, min_position)
        listed = f"births of {patient_id}"
        after = read_token(listed, page[1], (_NO_ID, _NO_ID))
        known = await self.of(hospital, patient_id, min_position)
        rows = await self._rows(hospital, "births_page", (patient_id, *after, limit + 1))
        return boards_pb2.ListPatientBirthsResponse(
            patient_id=str(known.patient_id),
            births=map(linked_newborn, rows[:limit]),
            next_page_token=write_token(listed, *rows[limit - 1][:2]) if len(rows) > limit else "",
        )

    async def patient_of(self, hospital: str, patient_id: UUID | None, case_number: str, min_position: int) -> UUID:
        """Who is asked for: by this id or else by this case number."""
        if patient_id is not None:
            return patient_id
        found = await self._rows(hospital, "patient_of_case_number", (case_number,), min_position)
        if not found:
            raise UnknownPatient
        return found[0][0]

    async def of(self, hospital: str, patient_id: UUID, min_position: int) -> Identities:
        """The patient's identities as far as an index shows them, the own one first."""
        known = await self._rows(hospital, "identities_of", (patient_id, IDENTITIES_MAX + 1), min_position)
        if all(row[2] is None for row in known):
            raise UnknownPatient
        return Identities(known[0][0], known[0][2] or "", known[:IDENTITIES_MAX], len(known) > IDENTITIES_MAX)

    async def standing_of(
        self, hospital: str, patient_id: UUID, identity_id: UUID
    ) -> boards_pb2.IdentityStanding.ValueType:
        """How one identity belongs to the patient, also one that no index shows; UnknownPatient where it does not."""
        rows = await self._rows(hospital, "identity_page", (patient_id, _NO_ID, 1, identity_id))
        if not rows:
            raise UnknownPatient
        return rows[0][1]

    async def births(self, hospital: str, known: Identities) -> tuple[list[boards_pb2.LinkedNewborn], bool]:
        """The births that an index shows, and whether there are more."""
        rows = await self._rows(hospital, "births_page", (known.patient_id, _NO_ID, _NO_ID, _BIRTHS_MAX + 1))
        return list(map(linked_newborn, rows[:_BIRTHS_MAX])), len(rows) > _BIRTHS_MAX

    async def _rows(
        self, hospital: str, statement: str, parameters: tuple[Any, ...], min_position: int = 0
    ) -> list[tuple[Any, ...]]:
        return await self._reader.rows(hospital, self._index, statement, parameters, min_position)


def identity(row: tuple[Any, ...]) -> boards_pb2.PatientIdentity:
    """A row of the statements `identities_of` and `identity_page`."""
    return boards_pb2.PatientIdentity(patient_id=str(row[0]), case_number=row[2] or "", standing=row[1])
