"""Answers of the edge's BoardService from the views department_board and patient_index."""

from typing import Any
from uuid import UUID

from ledger.api.v1 import boards_pb2
from ledger.views.errors import UnknownPatient
from ledger.views.page_size import page_rows
from projections.board_row import board_row
from projections.department_board.view import DepartmentBoard
from projections.episode_message import episode, linked_newborn
from projections.page_token import read_token, write_token
from projections.patient_index.view import PatientIndex
from projections.reading import ViewReader

_DEPARTMENTS_MAX = 1_000
_EPISODES_MAX = 1_000
_IDENTITIES_MAX = 1_000
_CODES_MAX = 200
_BIRTHS_MAX = 20
_NO_ID = UUID(int=0)


class BoardQueries:
    """Department boards and patient indexes. Every answer waits for `min_position` first, as Freshness says."""

    def __init__(self, reader: ViewReader) -> None:
        self._reader = reader
        self._board = DepartmentBoard()
        self._index = PatientIndex()

    async def department_board(
        self,
        hospital: str,
        department: str,
        page_size: int,
        page_token: str,
        min_position: int,
        subjects: boards_pb2.BoardSubjects.ValueType = boards_pb2.BOARD_SUBJECTS_UNSPECIFIED,
    ) -> boards_pb2.GetDepartmentBoardResponse:
        """Who is in a department, by bed, then by record id. BadPageSize, BadPageToken."""
        limit = page_rows(page_size)
        listed = f"board {department}" if not subjects else f"board of {subjects} {department}"
        bed, record = read_token(listed, page_token, ("", _NO_ID))
        parameters = (department, bed, record, limit + 1, subjects)
        rows = await self._reader.rows(hospital, self._board, "department", parameters, min_position)
        more = write_token(listed, rows[limit - 1][5], rows[limit - 1][0]) if len(rows) > limit else ""
        return boards_pb2.GetDepartmentBoardResponse(rows=map(board_row, rows[:limit]), next_page_token=more)

    async def departments(self, hospital: str, min_position: int) -> boards_pb2.ListDepartmentsResponse:
        """All departments that have records, with counts, by code; at most 1,000."""
        rows = await self._reader.rows(hospital, self._board, "departments", (_DEPARTMENTS_MAX,), min_position)
        return boards_pb2.ListDepartmentsResponse(
            departments=(boards_pb2.DepartmentSummary(department=r[0], present=r[1], to_complete=r[2]) for r in rows)
        )

    async def patient_index(
        self, hospital: str, patient_id: UUID | None, case_number: str, min_position: int
    ) -> boards_pb2.GetPatientIndexResponse:
        """All episodes of the patient with this id, or else this case number, by start, then by record id.

        Over all identities that were merged, and those that are only linked, which are marked so. UnknownPatient where
        nothing is known of the patient, which a patient without an episode is not.
        """
        if patient_id is None:
            found = await self._rows(hospital, "patient_of_case_number", (case_number,), min_position)
            if not found:
                raise UnknownPatient
            patient_id, min_position = found[0][0], 0
        identities = await self._rows(hospital, "identities_of", (patient_id, _IDENTITIES_MAX), min_position)
        ids = [row[0] for row in identities]
        episodes = await self._rows(hospital, "episodes_of", (ids, _EPISODES_MAX, _CODES_MAX), 0)
        if not episodes and all(row[2] is None for row in identities):
            raise UnknownPatient
        numbers = {row[8]: row[9] for row in episodes} | {row[0]: row[2] for row in identities if row[2] is not None}
        standings = {row[0]: row[1] for row in identities}
        same = [each for each in ids if standings[each] != boards_pb2.IDENTITY_STANDING_LINKED]
        births = await self._rows(hospital, "births_of", (same, _BIRTHS_MAX), 0)
        return boards_pb2.GetPatientIndexResponse(
            patient_id=str(ids[0]),
            case_number=numbers.get(ids[0], ""),
            episodes=(episode(row, standings[row[8]]) for row in episodes),
            identities=(
                boards_pb2.PatientIdentity(
                    patient_id=str(each), case_number=numbers.get(each, ""), standing=standings[each]
                )
                for each in ids
            ),
            births=map(linked_newborn, births),
        )

    async def _rows(
        self, hospital: str, statement: str, parameters: tuple[Any, ...], min_position: int
    ) -> list[tuple[Any, ...]]:
        return await self._reader.rows(hospital, self._index, statement, parameters, min_position)
