"""Answers of the edge's ArchiveService from the view archive_register."""

from typing import Any

from ledger.api.v1 import boards_pb2
from ledger.views.event import protobuf_time
from ledger.views.page_size import page_rows
from projections.archive_register.view import ArchiveRegister
from projections.page_token import read_token, write_token
from projections.reading import ViewReader


class ArchiveQueries:
    """The archive register. Every answer waits for `min_position` first, as Freshness says."""

    def __init__(self, reader: ViewReader) -> None:
        self._reader = reader
        self._register = ArchiveRegister()

    async def archive_register(
        self, hospital: str, phase: int, page_size: int, page_token: str, min_position: int
    ) -> boards_pb2.ListArchiveRegisterResponse:
        """Records in order of registration, all or those of one phase. BadPageSize, BadPageToken."""
        limit, of = page_rows(page_size), f"register {phase}"
        (after,) = read_token(of, page_token, (0,))
        statement, extra = ("register_in_phase", (phase,)) if phase else ("register", ())
        rows = await self._reader.rows(hospital, self._register, statement, (after, limit + 1, *extra), min_position)
        token = write_token(of, rows[limit - 1][2]) if len(rows) > limit else ""
        return boards_pb2.ListArchiveRegisterResponse(rows=map(_register_row, rows[:limit]), next_page_token=token)


def _register_row(row: tuple[Any, ...]) -> boards_pb2.RegisterRow:
    return boards_pb2.RegisterRow(
        record_id=str(row[0]),
        record_version=row[1],
        case_number=row[3],
        visit_type=row[4],
        visit_sequence=row[5],
        phase=row[6],
        ended_at=protobuf_time(row[7]),
        submitted_at=protobuf_time(row[8]),
        archived_at=protobuf_time(row[9]),
        retention_class=row[10],
        retain_until=row[11],
        head_leaf=row[12],
        returns=row[13],
        score=row[14],
    )
