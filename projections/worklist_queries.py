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
from projections.worklist.rows import RETENTION_RUNS
from projections.worklist.view import Worklist

_NO_ID = UUID(int=0)
_WITH_LAST_DAY = {worklist_pb2.WORK_KIND_LOAN, worklist_pb2.WORK_KIND_REQUEST}


class WorklistQueries:
    """What waits. Every answer waits for `min_position` first, as Freshness says."""

    def __init__(self, reader: ViewReader) -> None:
        self._reader = reader
        self._worklist = Worklist()

    async def worklist(
        self, hospital: str, asked: WorkAsked, page_size: int, page_token: str, min_position: int
    ) -> worklist_pb2.GetWorklistResponse:
        """Items, the longest waiting first. BadPageSize, BadPageToken: a token is of one worklist and kind only."""
        limit, of = page_rows(page_size), f"worklist {asked.of} {asked.kind} {asked.on_date} {asked.whose}"
        since, record, item = read_token(of, page_token, (0, _NO_ID, ""))
        chosen = asked.on_date if asked.of == "records_office" else asked.whose
        parameters = (limit + 1, chosen, asked.kind, since, record, item)
        rows = await self._reader.rows(hospital, self._worklist, asked.of, parameters, min_position)
        more = write_token(of, rows[limit - 1][7], rows[limit - 1][1], rows[limit - 1][12]) if len(rows) > limit else ""
        items = (_item(row, asked.on_date) for row in rows[:limit])
        return worklist_pb2.GetWorklistResponse(items=items, next_page_token=more)


def _item(row: tuple[Any, ...], on_date: str) -> worklist_pb2.WorkItem:
    kind = worklist_pb2.WORK_KIND_RETENTION if row[0] == RETENTION_RUNS else row[0]
    late = kind in _WITH_LAST_DAY and row[9] < on_date
    return worklist_pb2.WorkItem(
        kind=kind,
        record_id=str(row[1]),
        case_number=row[2],
        phase=row[3],
        department=row[4],
        person_id=row[5],
        rule=row[6],
        since=protobuf_time(row[7]),
        due_at=protobuf_time(row[8]),
        due_on=row[9],
        overdue=late or kind == worklist_pb2.WORK_KIND_OVERDUE,
        subject_id=row[10],
        defects=(
            common_pb2.Defect(code=code, entry_id=entry_id, text=text) for code, entry_id, text in json.loads(row[11])
        ),
        score=row[13],
        grade=row[14],
    )
