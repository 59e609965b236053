"""Answers of the edge's BoardService from the views department_board and patient_index."""

from typing import Any
from uuid import UUID

from ledger.api.v1 import boards_pb2
from ledger.views.errors import UnknownPatient
from ledger.views.page_size import PAGE_ROWS_MAX, page_rows
from ledger.views.queries import BoardAsked, EpisodesAsked
from projections.board_row import board_row
from projections.department_board.view import DepartmentBoard
from projections.episode_message import CODES_MAX, episode, linked_newborn
from projections.page_token import read_token, write_token
from projections.patient_index.view import PatientIndex
from projections.reading import ViewReader

_IDENTITIES_MAX = 1_000
_BIRTHS_MAX = 20
_NO_ID = UUID(int=0)
_BEFORE_ALL_TIME = -(2**63)
_ALL_ROWS = BoardAsked()
_ALL_EPISODES = EpisodesAsked()


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
        asked: BoardAsked = _ALL_ROWS,
    ) -> boards_pb2.GetDepartmentBoardResponse:
        """Who is in a department, in the order asked for, then by record id. BadPageSize, BadPageToken."""
        limit, by_since = page_rows(page_size), asked.order == boards_pb2.BOARD_ORDER_SINCE
        listed = f"board of {asked} {department}"
        bed, since, record = read_token(listed, page_token, ("", _BEFORE_ALL_TIME, _NO_ID))
        kept = (asked.subjects, by_since, asked.responsible, asked.unanswered)
        parameters = (department, bed, record, limit + 1, *kept, since, asked.responsible_id)
        rows = await self._reader.rows(hospital, self._board, "department", parameters, min_position)
        more = write_token(listed, *rows[limit - 1][12:14], rows[limit - 1][0]) if len(rows) > limit else ""
        return boards_pb2.GetDepartmentBoardResponse(rows=map(board_row, rows[:limit]), next_page_token=more)

    async def departments(
        self, hospital: str, min_position: int, order: int = 0, page_size: int = 0, page_token: str = ""
    ) -> boards_pb2.ListDepartmentsResponse:
        """All departments that have records, with counts, in the order asked for. BadPageSize, BadPageToken.

        By counts, a department whose count changes between two pages may come twice or not at all.
        """
        limit, listed = page_rows(page_size, PAGE_ROWS_MAX), f"departments by {order}"
        after = read_token(listed, page_token, (_BEFORE_ALL_TIME, ""))
        rows = await self._reader.rows(hospital, self._board, "departments", (limit + 1, order, *after), min_position)
        more = write_token(listed, rows[limit - 1][3], rows[limit - 1][0]) if len(rows) > limit else ""
        departments = (
            boards_pb2.DepartmentSummary(department=r[0], present=r[1], to_complete=r[2]) for r in rows[:limit]
        )
        return boards_pb2.ListDepartmentsResponse(departments=departments, next_page_token=more)

    async def patient_index(
        self,
        hospital: str,
        patient_id: UUID | None,
        case_number: str,
        min_position: int,
        asked: EpisodesAsked = _ALL_EPISODES,
        page_size: int = 0,
        page_token: str = "",
    ) -> boards_pb2.GetPatientIndexResponse:
        """A page of the episodes of the patient with this id, or else this case number: BadPageSize, BadPageToken.

        Over all identities that were merged, and those that are only linked, which are marked so. UnknownPatient where
        nothing is known of the patient, which a patient without an episode is not.
        """
        limit = page_rows(page_size, PAGE_ROWS_MAX)
        if patient_id is None:
            patient_id, min_position = await self._patient_of(hospital, case_number, min_position), 0
        listed = _listed(patient_id, asked)
        after = read_token(listed, page_token, (_BEFORE_ALL_TIME, _NO_ID))
        known = await self._rows(hospital, "identities_of", (patient_id, _IDENTITIES_MAX + 1), min_position)
        if all(row[2] is None for row in known):
            raise UnknownPatient
        identities = known[:_IDENTITIES_MAX]
        rows = await self._episodes(hospital, [row[0] for row in identities], limit, after, asked)
        more = write_token(listed, rows[limit - 1][15], rows[limit - 1][0]) if len(rows) > limit else ""
        standings = {row[0]: row[1] for row in identities}
        same = [each for each in standings if standings[each] != boards_pb2.IDENTITY_STANDING_LINKED]
        births = await self._rows(hospital, "births_of", (same, _BIRTHS_MAX), 0)
        return boards_pb2.GetPatientIndexResponse(
            patient_id=str(identities[0][0]),
            case_number=identities[0][2] or "",
            episodes=(episode(row, standings[row[8]]) for row in rows[:limit]),
            identities=map(_identity, identities),
            next_page_token=more,
            identities_cut=len(known) > _IDENTITIES_MAX,
            births=map(linked_newborn, births),
        )

    async def _patient_of(self, hospital: str, case_number: str, min_position: int) -> UUID:
        found = await self._rows(hospital, "patient_of_case_number", (case_number,), min_position)
        if not found:
            raise UnknownPatient
        return found[0][0]

    async def _episodes(
        self, hospital: str, of: list[UUID], limit: int, after: tuple[Any, ...], asked: EpisodesAsked
    ) -> list[tuple[Any, ...]]:
        direction = -1 if asked.order == boards_pb2.EPISODE_ORDER_NEWEST_FIRST else 1
        kept = (sorted(asked.visit_types), asked.phase, asked.care_from, asked.care_before)
        parameters = (of, limit + 1, CODES_MAX + 1, direction, *after, *kept)
        return await self._rows(hospital, "episodes_of", parameters, 0)

    async def _rows(
        self, hospital: str, statement: str, parameters: tuple[Any, ...], min_position: int
    ) -> list[tuple[Any, ...]]:
        return await self._reader.rows(hospital, self._index, statement, parameters, min_position)


def _listed(patient_id: UUID, asked: EpisodesAsked) -> str:
    """The name of a list for its tokens; the patient by id, so that no token tells a case number."""
    kept = f"{sorted(asked.visit_types)} {asked.phase} {asked.care_from} {asked.care_before}"
    return f"episodes {patient_id} {kept} {asked.order == boards_pb2.EPISODE_ORDER_NEWEST_FIRST}"


def _identity(row: tuple[Any, ...]) -> boards_pb2.PatientIdentity:
    return boards_pb2.PatientIdentity(patient_id=str(row[0]), case_number=row[2] or "", standing=row[1])
