"""Since when each kind of work waits, and for which person, on a real PostgreSQL."""

from uuid import UUID, uuid4

from google.protobuf.timestamp_pb2 import Timestamp

from ledger.api.v1 import keeping_values_pb2 as values
from ledger.api.v1 import worklist_pb2
from ledger.views.queries import WorkAsked
from projections.worklist.view import Worklist
from tests.contract.views import histories as h
from tests.contract.views import life_events as life
from tests.contract.views.ground import Ground
from tests.contract.views.running import running
from tests.integration.projections.test_worklist import OFFICE, PHYSICIAN, care, worklists

ARCHIVED = [*care(), h.care_ended(), h.submitted(), h.archived()]
"""Five events: what comes next is recorded a second later each."""


async def since(ground: Ground, asked: WorkAsked, *bodies: h.Message) -> dict[str, Timestamp]:
    """Since when what is asked for waits in a record with these events, by its rules."""
    record = h.EventStream()
    async with running(ground, Worklist()):
        head = ground.append(record.seal(body) for body in bodies)
        answer = await worklists(ground).worklist("north", asked, 0, "", head)
    return {item.rule: item.since for item in answer.items if item.record_id == str(record.stream_id)}


async def test_a_record_waits_to_be_filed_since_care_ended_and_since_it_was_reopened(ground: Ground) -> None:
    """Not since it was handed in; what goes on after a withdrawn discharge waits since the second one."""
    ended = [*care(), h.care_ended()]
    assert await since(ground, OFFICE, *ended, h.submitted()) == {"CARE_ENDED": h.at(3)}
    again = [*ended, life.resumed(), h.care_ended()]
    assert await since(ground, OFFICE, *again) == {"CARE_ENDED": h.at(5)}
    assert await since(ground, OFFICE, *ARCHIVED, life.reopened(uuid4())) == {"REOPENED": h.at(6)}


async def test_a_case_on_loan_waits_since_it_went_out(ground: Ground) -> None:
    """Renewed or not; lent again, since then."""
    first, second = uuid4(), uuid4()
    out = [*ARCHIVED, life.lent(first), life.loan_renewed(first)]
    assert await since(ground, OFFICE, *out) == {"LENT": h.at(6)}
    assert await since(ground, OFFICE, *out, life.loan_returned(first), life.lent(second)) == {"LENT": h.at(9)}


async def test_a_request_waits_since_it_was_recorded(ground: Ground) -> None:
    """Of two that wait each since its own day."""
    one, other = uuid4(), uuid4()
    record = h.EventStream()
    async with running(ground, Worklist()):
        bodies = [*ARCHIVED, life.requested(one), life.requested(other)]
        head = ground.append(record.seal(body) for body in bodies)
        answer = await worklists(ground).worklist("north", OFFICE, 0, "", head)
    shown = [(each.subject_id, each.since) for each in answer.items]
    assert shown == [(str(one), h.at(6)), (str(other), h.at(7))]


async def test_a_term_that_is_over_waits_since_it_ended(ground: Ground) -> None:
    """Through appraisal and approval; before it is over, by the date asked for, since it was archived."""
    before = WorkAsked("records_office", on_date="2053-11-14")
    assert (await since(ground, before, *ARCHIVED))["RETAIN_UNTIL"] == h.at(5)
    destroy = values.DISPOSAL_OPINION_DESTROY
    over = [*ARCHIVED, life.term_over()]
    assert await since(ground, OFFICE, *over) == {"TERM_OVER": h.at(6)}
    assert await since(ground, OFFICE, *over, life.appraised(destroy)) == {"APPRAISED": h.at(6)}
    approved = [*over, life.appraised(destroy), life.approved(destroy, uuid4())]
    assert await since(ground, OFFICE, *approved) == {"APPROVED": h.at(6)}


async def test_a_holder_is_to_be_told_since_the_last_change(ground: Ground) -> None:
    """Not since the copy was handed out."""
    copy, held = UUID(int=61), WorkAsked("records_office", kind=worklist_pb2.WORK_KIND_HOLDER)
    changed = [*ARCHIVED, life.copied(copy), life.copies_outdated(copy)]
    assert await since(ground, held, *changed) == {"OUTDATED": h.at(7)}


async def test_a_borrower_is_to_be_told_until_the_record_is_back(ground: Ground) -> None:
    """Beside the loan itself; a letter ends it, and so does the return."""
    loan, held = UUID(int=62), WorkAsked("records_office", kind=worklist_pb2.WORK_KIND_HOLDER)
    changed = [*ARCHIVED, life.lent(loan), life.loans_outdated(loan)]
    assert await since(ground, held, *changed) == {"OUTDATED": h.at(7)}
    assert await since(ground, held, *changed, life.holder_told(loan)) == {}
    assert await since(ground, held, *changed, life.loan_returned(loan)) == {}


async def test_a_returned_record_waits_for_its_physician_since_it_came_back(ground: Ground) -> None:
    """A person's worklist has it as the department's does, and the next physician's once somebody else is in charge."""
    following = str(UUID(int=71))
    back = [*care(), h.care_ended(), h.submitted(), h.assessed(69, "C", "D1"), h.returned()]
    own, next_one = WorkAsked("person", PHYSICIAN), WorkAsked("person", following)
    assert await since(ground, own, *back) == {"QUALITY_RETURNED": h.at(6)}
    assert await since(ground, own, *back, life.assigned(following)) == {}
    assert await since(ground, next_one, *back, life.assigned(following)) == {"QUALITY_RETURNED": h.at(6)}
