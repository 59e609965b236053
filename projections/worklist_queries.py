"""Answers of BoardService.GetWorklist from the view worklist."""

import json
from typing import Any
from uuid import UUID

from ledger.api.v1 import common_pb2, worklist_pb2
from ledger.views.event import protobuf_time
from ledger.views.page_size import page_rows
from ledger.views.queries import WorkAsked
from projections.page_token import read_token, write_token
from projections.reading import ViewReader
from projections.worklist.open_deadlines import OpenDeadlines
from projections.worklist.rows import RETENTION_RUNS
from projections.worklist.view import Worklist

_NO_ID = UUID(int=0)
_BEFORE_ALL_TURNS = -(2**63)
_WITH_LAST_DAY = {worklist_pb2.WORK_KIND_LOAN, worklist_pb2.WORK_KIND_REQUEST}


class WorklistQueries:
    """What waits. Every answer waits for `min_position` first, as Freshness says."""

    def __init__(self, reader: ViewReader, deadlines: OpenDeadlines) -> None:
        self._reader = reader
        self._deadlines = deadlines
        self._worklist = Worklist()

    async def worklist(
        self, hospital: str, asked: WorkAsked, page_size: int, page_token: str, min_position: int
    ) -> worklist_pb2.GetWorklistResponse:
        """Items in the order asked for. BadPageSize, BadPageToken: a token is of one worklist, filter and order."""
        limit, of = page_rows(page_size), f"worklist {asked}"
        after = read_token(of, page_token, ("", _BEFORE_ALL_TURNS, _NO_ID, ""))
        chosen = asked.on_date if asked.of == "records_office" else asked.whose
        known = await self._deadlines.known(hospital)
        beside = {"deadlines": self._deadlines.relation(hospital, known=known)}
        parameters = (limit + 1, chosen, asked.kind, *after, asked.order, asked.responsible_id)
        rows = await self._reader.rows(hospital, self._worklist, asked.of, parameters, min_position, beside)
        items = (_item(row, asked.on_date) for row in rows[:limit])
        more = _token(of, rows[limit - 1]) if len(rows) > limit else ""
        return worklist_pb2.GetWorklistResponse(items=items, next_page_token=more, deadlines_known=known)


def _token(of: str, last: tuple[Any, ...]) -> str:
    return write_token(of, last[13], last[16], last[1], last[12])


def _item(row: tuple[Any, ...], on_date: str) -> worklist_pb2.WorkItem:
    kind = worklist_pb2.WORK_KIND_RETENTION if row[0] == RETENTION_RUNS else row[0]
    due_at = protobuf_time(row[8])
    late = kind in _WITH_LAST_DAY and row[9] < on_date
    if kind == worklist_pb2.WORK_KIND_DUE and due_at is not None:
        late = due_at.ToDatetime().date().isoformat() < on_date
    return worklist_pb2.WorkItem(
        kind=kind,
        record_id=str(row[1]),
        case_number=row[2],
        phase=row[3],
        department=row[4],
        person_id=row[5],
        rule=row[6],
        since=protobuf_time(row[7]),
        due_at=due_at,
        due_on=row[9],
        overdue=late or kind == worklist_pb2.WORK_KIND_OVERDUE,
        subject_id=row[10],
        defects=(
            common_pb2.Defect(code=code, entry_id=entry_id, text=text) for code, entry_id, text in json.loads(row[11])
        ),
        score=row[14],
        grade=row[15],
    )
