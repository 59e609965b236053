"""Answers of BoardService.GetWorklist from the view worklist."""

import json
from functools import partial
from typing import Any
from uuid import UUID

from ledger.api.v1 import common_pb2, worklist_pb2
from ledger.views.event import protobuf_time
from ledger.views.page_size import page_rows
from ledger.views.queries import WorkAsked
from projections.pinned_order import PLACES_MAX, PinnedOrder, read_order, write_order
from projections.reading import ViewReader
from projections.worklist.open_deadlines import OpenDeadlines
from projections.worklist.rows import RETENTION_RUNS
from projections.worklist.view import Worklist

_NO_ID = UUID(int=0)
_AS_PINNED = -1
"""In place of an order of the contract, once the places are pinned."""
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
        order = read_order(of, page_token, (_NO_ID, ""))
        known = await self._deadlines.known(hospital)
        read = partial(self._rows, hospital, asked, known, min_position)
        rows = await read(order, asked.order if order.marks is None else _AS_PINNED, limit + 1)
        if order.marks is None and len(rows) > limit:
            order = order.pinned(row[16] for row in await read(order, asked.order, PLACES_MAX))
            rows = await read(order, _AS_PINNED, limit + 1)
        items = (_item(row, asked.on_date) for row in rows[:limit])
        more = _token(of, order, rows[limit - 1]) if len(rows) > limit else ""
        return worklist_pb2.GetWorklistResponse(items=items, next_page_token=more, deadlines_known=known)

    async def _rows(
        self,
        hospital: str,
        asked: WorkAsked,
        known: bool,  # noqa: FBT001 - bound beforehand
        min_position: int,
        order: PinnedOrder,
        sorted_by: int,
        limit: int,
    ) -> list[tuple[Any, ...]]:
        chosen = asked.on_date if asked.of == "records_office" else asked.whose
        parameters = (limit, chosen, asked.kind, *order.parameters, sorted_by, asked.responsible_id)
        beside = {"deadlines": self._deadlines.relation(hospital, known=known)}
        return await self._reader.rows(hospital, self._worklist, asked.of, parameters, min_position, beside)


def _token(of: str, order: PinnedOrder, last: tuple[Any, ...]) -> str:
    return write_order(of, order, last[13], last[1], last[12])


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
