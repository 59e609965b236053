"""Answers of the edge's BoardService from the views department_board and patient_index."""

from typing import Any
from uuid import UUID

from ledger.api.v1 import boards_pb2
from ledger.views.page_size import PAGE_ROWS_MAX, page_rows
from ledger.views.queries import BoardAsked, EpisodesAsked
from projections.board_row import board_row
from projections.department_board.view import DepartmentBoard
from projections.episode_message import CODES_MAX, episode
from projections.identity_queries import IdentityQueries, identity
from projections.patient_index.view import PatientIndex
from projections.pinned_order import PLACES_MAX, PinnedOrder, read_order, write_order
from projections.reading import ViewReader

_NO_ID = UUID(int=0)
_BY_COUNT = {boards_pb2.DEPARTMENT_ORDER_PRESENT, boards_pb2.DEPARTMENT_ORDER_TO_COMPLETE}
_ALL_ROWS = BoardAsked()
_ALL_EPISODES = EpisodesAsked()


class BoardQueries:
    """Department boards and patient indexes. Every answer waits for `min_position` first, as Freshness says."""

    def __init__(self, reader: ViewReader) -> None:
        self._reader = reader
        self._identities = IdentityQueries(reader)
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
        chosen = (department, asked.subjects, asked.responsible, asked.unanswered, asked.responsible_id)
        order = read_order(listed, page_token, (_NO_ID,))
        if order.marks is None:
            found = await self._reader.rows(
                hospital, self._board, "department_order", (*chosen, by_since, PLACES_MAX), min_position
            )
            order = order.pinned(mark for (mark,) in found)
        parameters = (*chosen, *order.parameters, limit + 1)
        rows = await self._reader.rows(hospital, self._board, "department", parameters, min_position)
        more = write_order(listed, order, rows[limit - 1][12], rows[limit - 1][0]) if len(rows) > limit else ""
        return boards_pb2.GetDepartmentBoardResponse(rows=map(board_row, rows[:limit]), next_page_token=more)

    async def departments(
        self, hospital: str, min_position: int, order: int = 0, page_size: int = 0, page_token: str = ""
    ) -> boards_pb2.ListDepartmentsResponse:
        """All departments that have records, with counts, in the order asked for. BadPageSize, BadPageToken."""
        limit, listed = page_rows(page_size, PAGE_ROWS_MAX), f"departments by {order}"
        pins = read_order(listed, page_token, ("",))
        if pins.marks is None and order in _BY_COUNT:
            found = await self._reader.rows(
                hospital, self._board, "departments_order", (order, PLACES_MAX), min_position
            )
            pins = pins.pinned(mark for (mark,) in found)
        parameters = (*pins.parameters, limit + 1)
        rows = await self._reader.rows(hospital, self._board, "departments", parameters, min_position)
        more = write_order(listed, pins, rows[limit - 1][3], rows[limit - 1][0]) if len(rows) > limit else ""
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
        patient_id = await self._identities.patient_of(hospital, patient_id, case_number, min_position)
        listed = _listed(patient_id, asked)
        order = read_order(listed, page_token, (_NO_ID,))
        known = await self._identities.of(hospital, patient_id, min_position)
        standings = known.standings
        if asked.identity_id:
            standings = {asked.identity_id: await self._identities.standing_of(hospital, patient_id, asked.identity_id)}
        order, rows = await self._episodes(hospital, list(standings), limit, order, asked)
        births, births_cut = await self._identities.births(hospital, known)
        return boards_pb2.GetPatientIndexResponse(
            patient_id=str(known.patient_id),
            case_number=known.case_number,
            episodes=(episode(row, standings[row[8]]) for row in rows[:limit]),
            identities=map(identity, known.rows),
            next_page_token=write_order(listed, order, rows[limit - 1][15], rows[limit - 1][0])
            if len(rows) > limit
            else "",
            identities_cut=known.cut,
            births=births,
            births_cut=births_cut,
        )

    async def _episodes(
        self, hospital: str, of: list[UUID], limit: int, order: PinnedOrder, asked: EpisodesAsked
    ) -> tuple[PinnedOrder, list[tuple[Any, ...]]]:
        chosen = (of, sorted(asked.visit_types), asked.phase, asked.care_from, asked.care_before)
        if order.marks is None:
            direction = -1 if asked.order == boards_pb2.EPISODE_ORDER_NEWEST_FIRST else 1
            found = await self._rows(hospital, "episodes_order", (*chosen, direction, PLACES_MAX))
            order = order.pinned(mark for (mark,) in found)
        parameters = (*chosen, *order.parameters, limit + 1, CODES_MAX + 1)
        return order, await self._rows(hospital, "episodes_of", parameters)

    async def _rows(self, hospital: str, statement: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return await self._reader.rows(hospital, self._index, statement, parameters, 0)


def _listed(patient_id: UUID, asked: EpisodesAsked) -> str:
    """The name of a list for its tokens; the patient by id, so that no token tells a case number."""
    kept = f"{sorted(asked.visit_types)} {asked.phase} {asked.care_from} {asked.care_before} {asked.identity_id}"
    return f"episodes {patient_id} {kept} {asked.order == boards_pb2.EPISODE_ORDER_NEWEST_FIRST}"
