"""The clock, the worklist and the ledger together: a deadline is due, then kept or overdue, and never both."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import cast

from ledger.api.v1 import worklist_pb2
from ledger.application.ledger import Ledger
from ledger.cli.queries import view_queries
from tests.contract.edge.composition import projecting
from tests.integration.consumers.deadline_clock.driven_hospital import NORTH, DrivenHospital
from tests.integration.consumers.deadline_clock.test_deadline_clock import ADMISSION
from tests.services.sealed import FIXED_KEY

DUE, OVERDUE = worklist_pb2.WORK_KIND_DUE, worklist_pb2.WORK_KIND_OVERDUE


async def test_a_deadline_is_due_then_kept_or_overdue(north: DrivenHospital) -> None:
    """With its rule and what it is counted from; the entry takes it off, its time makes it overdue."""
    begun = north.now
    record_id = await north.visit(await north.patient())
    ledger = await Ledger.open(north.settings, FIXED_KEY, FIXED_KEY)
    try:
        async with projecting(north.settings):
            await north.tick()
            due = await items(north, ledger)
            await north.enter(record_id, *ADMISSION)
            await north.tick()
            kept = await items(north, ledger)
            north.after(timedelta(hours=9))
            await north.tick()
            later = await items(north, ledger)
    finally:
        await ledger.close()
    assert {"first_course_note", "admission_record"} <= {item.rule for item in due}
    assert {(item.kind, item.since.ToDatetime()) for item in due} == {(DUE, begun.replace(tzinfo=None))}
    assert {item.rule for item in due} - {item.rule for item in kept} == {"admission_record"}
    found = Counter(item.rule for item in later)
    assert max(found.values()) == 1
    assert [item.kind for item in later if item.rule == "first_course_note"] == [OVERDUE]


async def items(north: DrivenHospital, ledger: Ledger) -> list[worklist_pb2.WorkItem]:
    """The department's worklist once the view has handled everything."""
    head = sum((await north.events()).values())
    request = worklist_pb2.GetWorklistRequest(hospital=NORTH, department="MED", min_position=head)
    async with view_queries(north.settings, ledger, FIXED_KEY) as queries:
        answer = await queries["ledger.api.v1.BoardService/GetWorklist"](request)
    return list(cast("worklist_pb2.GetWorklistResponse", answer).items)
