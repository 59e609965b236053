"""Departments and worklists over the wire: ordered and filtered by the server, page by page as at once."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.message import Message

from ledger.api.v1 import boards_pb2 as boards
from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import course_pb2 as course
from ledger.api.v1 import records_pb2 as records
from ledger.api.v1 import worklist_pb2 as work
from tests.contract.edge.clients import EdgeClient, RpcFailed
from tests.contract.edge.composition import composed, projecting
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import PHYSICIAN, context, record_entry
from tests.contract.edge.stays import Stays, year_of

_DEPARTMENTS = "BoardService/ListDepartments"
_WORKLIST = "BoardService/GetWorklist"
_FOREIGN = ("INVALID_ARGUMENT", "FOREIGN_PAGE_TOKEN")


@pytest.fixture
async def edge(idle_edge: RunningEdge) -> AsyncIterator[RunningEdge]:
    """A running edge with every view's queries, and the runner that keeps the views."""
    async with composed(idle_edge) as running, projecting(running.settings):
        yield running


@pytest.fixture
async def stays(client: EdgeClient, edge: RunningEdge) -> Stays:  # noqa: ARG001 - the client's calls need it
    """A patient without a stay."""
    stays = Stays(client)
    await stays.begin()
    return stays


async def _refused(client: EdgeClient, rpc: str, request: Message) -> tuple[str, str]:
    with pytest.raises(RpcFailed) as failure:
        await client.call(rpc, request)
    return failure.value.code, failure.value.reason


async def test_departments_by_code_or_by_how_many_wait_there(client: EdgeClient, stays: Stays) -> None:
    """Each order page by page and at once; a token is of one order, and departments without records are not listed."""
    for department in ("ICU", "MED", "MED", "AMB", "ICU", "ICU"):
        await stays.add(2001, department=department)
    discharged = await stays.add(2001, department="MED")
    end = records.EndCareRequest(context=context(), record_id=discharged, disposition=common.DISPOSITION_HOME)
    end.ended_at.CopyFrom(year_of(2002))
    stays.position = (await client.call("RecordService/EndCare", end)).receipt.position

    async def listed(page_size: int, order: Any) -> list[tuple[str, int, int]]:
        seen: list[tuple[str, int, int]] = []
        token = ""
        while not seen or token:
            asked = boards.ListDepartmentsRequest(hospital="north", page_size=page_size, page_token=token, order=order)
            asked.min_position = stays.position
            page = await client.call(_DEPARTMENTS, asked)
            seen += [(each.department, each.present, each.to_complete) for each in page.departments]
            token = page.next_page_token
        return seen

    amb, icu, med = ("AMB", 1, 0), ("ICU", 3, 0), ("MED", 2, 1)
    for order, expected in (
        (boards.DEPARTMENT_ORDER_UNSPECIFIED, [amb, icu, med]),
        (boards.DEPARTMENT_ORDER_CODE, [amb, icu, med]),
        (boards.DEPARTMENT_ORDER_PRESENT, [icu, med, amb]),
        (boards.DEPARTMENT_ORDER_TO_COMPLETE, [med, amb, icu]),
    ):
        assert await listed(1, order) == await listed(2, order) == await listed(0, order) == expected
    first = boards.ListDepartmentsRequest(hospital="north", page_size=1)
    token = (await client.call(_DEPARTMENTS, first)).next_page_token
    other = boards.ListDepartmentsRequest(hospital="north", page_token=token, order=boards.DEPARTMENT_ORDER_PRESENT)
    assert await _refused(client, _DEPARTMENTS, other) == _FOREIGN
    wrong: Any = boards.ListDepartmentsRequest(hospital="north")
    wrong.order = 99
    assert await _refused(client, _DEPARTMENTS, wrong) == ("INVALID_ARGUMENT", "VALIDATION_FAILED")


async def test_a_worklist_in_each_order_and_of_one_physician(client: EdgeClient, stays: Stays) -> None:
    """The longest waiting or the last come first, or by case number; without gap or repeat, of one charge or of all."""
    others = Stays(client)
    await others.begin()
    second = common.Actor(id=str(uuid4()), name="Dr Two", role="physician")
    first, theirs = await stays.add(2001), await others.add(2003, responsible=second)
    last = await stays.add(2004)
    waiting = [first, theirs, last]
    for record_id in waiting:
        draft = course.DraftEntryRequest(context=context(), record_id=record_id)
        draft.content.CopyFrom(record_entry(record_id).content)
        stays.position = (await client.call("CourseService/DraftEntry", draft)).receipt.position

    async def listed(page_size: int = 1, **fields: Any) -> list[str]:
        seen: list[str] = []
        while True:
            asked = work.GetWorklistRequest(hospital="north", department="MED", page_size=page_size, **fields)
            asked.kind, asked.min_position = work.WORK_KIND_DRAFT, stays.position
            page = await client.call(_WORKLIST, asked)
            seen += [item.record_id for item in page.items]
            if not page.next_page_token:
                return seen
            fields["page_token"] = page.next_page_token

    assert await listed() == await listed(order=work.WORK_ORDER_WAITING) == await listed(100) == waiting
    assert await listed(order=work.WORK_ORDER_NEWEST) == waiting[::-1]
    by_number = [first, last, theirs] if stays.case_number < others.case_number else [theirs, first, last]
    assert await listed(order=work.WORK_ORDER_CASE_NUMBER) == by_number
    assert await listed(responsible_id=PHYSICIAN.id, order=work.WORK_ORDER_NEWEST) == [last, first]
    assert await listed(responsible_id=str(uuid4())) == []
    page = work.GetWorklistRequest(hospital="north", department="MED", page_size=1)
    token = (await client.call(_WORKLIST, page)).next_page_token
    choices: tuple[dict[str, Any], ...] = ({"order": work.WORK_ORDER_NEWEST}, {"responsible_id": PHYSICIAN.id})
    for fields in choices:
        other = work.GetWorklistRequest(hospital="north", department="MED", page_token=token, **fields)
        assert await _refused(client, _WORKLIST, other) == _FOREIGN
