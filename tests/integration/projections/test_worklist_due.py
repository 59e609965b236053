"""What is due beside what waits: the deadline clock's own table joined when somebody asks, on a real PostgreSQL."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from consumers.deadline_clock.clock_tables import ClockTables
from consumers.deadline_clock.work import Act, Work
from ledger.api.v1 import worklist_pb2
from ledger.views.queries import WorkAsked
from projections.worklist.open_deadlines import OpenDeadlines
from projections.worklist.view import Worklist
from projections.worklist_queries import WorklistQueries
from tests.contract.views import histories as h
from tests.contract.views import life_events as life
from tests.contract.views.ground import Ground
from tests.contract.views.running import reader, running

PHYSICIAN = str(UUID(int=70))
SURG, CARD = WorkAsked("department", "SURG"), WorkAsked("department", "CARD")
DUE, OVERDUE = worklist_pb2.WORK_KIND_DUE, worklist_pb2.WORK_KIND_OVERDUE
BY_DUE = worklist_pb2.WORK_ORDER_DUE


def worklists(ground: Ground) -> WorklistQueries:
    return WorklistQueries(reader(ground), OpenDeadlines(ground.pool))


def care() -> list[h.Message]:
    started = h.care_started("SURG")
    started.responsible.id = PHYSICIAN
    return [h.registered("SURG"), started]


def runs(record: h.EventStream, rule: str, due: int, subject: UUID | None = None, since: int = 1) -> Work:
    """A deadline that runs until so many seconds after the first."""
    due_at = moment(due)
    subject_id = str(subject) if subject else ""
    act_at = due_at + timedelta(seconds=1)
    return Work(record.stream_id, Act.DEADLINE, act_at, due_at, rule, subject_id, moment(since))


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(h.FIRST_SECOND + seconds, UTC)


async def keep(ground: Ground, work: Sequence[Work]) -> None:
    """As the clock does."""
    tables = ClockTables("north", ground.pool.connection)
    await tables.prepare()
    await tables.write(1, [(each.record_id, each.act) for each in work], work)


def shown(answer: worklist_pb2.GetWorklistResponse) -> list[tuple[int, str, str]]:
    return [(item.kind, item.rule, item.subject_id) for item in answer.items]


async def test_what_runs_is_due_and_what_was_missed_overdue(ground: Ground) -> None:
    """At the department that has the record or, of a consultation, the one that was asked; a missed one stands once."""
    record, asked = h.EventStream(), uuid4()
    bodies = [*care(), h.consultation_requested(asked), life.missed(rule="first-note")]
    async with running(ground, Worklist()):
        queries = worklists(ground)
        head = ground.append(record.seal(body) for body in bodies)
        before = await queries.worklist("north", SURG, 0, "", head)
        assert (before.deadlines_known, shown(before)) == (False, [(OVERDUE, "first-note", "")])
        again = Work(record.stream_id, Act.DEADLINE, moment(9), moment(9))
        ends = Work(record.stream_id, Act.RETENTION, moment(9), moment(9))
        missed = runs(record, "first-note", 50)
        consultation = runs(record, "routine-consultation", 80, asked, since=3)
        await keep(ground, [again, ends, missed, runs(record, "round", 60), consultation])
        own = await queries.worklist("north", SURG, 0, "", 0)
        other = await queries.worklist("north", CARD, 0, "", 0)
        physician = await queries.worklist("north", WorkAsked("person", PHYSICIAN), 0, "", 0)
        only = await queries.worklist("north", WorkAsked("department", "SURG", kind=DUE), 0, "", 0)
        late = await queries.worklist("north", WorkAsked("department", "SURG", DUE, "2023-11-15"), 0, "", 0)
    round_ = (DUE, "round", "")
    assert own.deadlines_known
    assert sorted(shown(own)) == sorted([(OVERDUE, "first-note", ""), round_])
    assert sorted(shown(other)) == [
        (worklist_pb2.WORK_KIND_CONSULTATION, "CONSULTATION_OPEN", str(asked)),
        (DUE, "routine-consultation", str(asked)),
    ]
    assert sorted(shown(physician)) == sorted(shown(own))
    (due,) = only.items
    assert (due.rule, due.since, due.due_at, due.overdue) == ("round", h.at(1), h.at(60), False)
    assert (due.case_number, due.department, due.person_id) == ("C1", "SURG", PHYSICIAN)
    assert [item.overdue for item in late.items] == [True]


async def test_what_is_withdrawn_or_closed_is_due_no_more(ground: Ground) -> None:
    """A miss that was taken back lets the deadline be seen again; an archived record asks for nothing."""
    record = h.EventStream()
    bodies = [*care(), life.missed(rule="first-note"), life.miss_withdrawn(rule="first-note")]
    async with running(ground, Worklist()):
        queries = worklists(ground)
        head = ground.append(record.seal(body) for body in bodies)
        await keep(ground, [runs(record, "first-note", 50)])
        assert shown(await queries.worklist("north", SURG, 0, "", head)) == [(DUE, "first-note", "")]
        head = ground.append(record.seal(body) for body in (h.care_ended(), h.submitted(), h.archived()))
        assert shown(await queries.worklist("north", SURG, 0, "", head)) == []


async def test_pages_in_the_order_of_what_is_due_first(ground: Ground) -> None:
    """The earliest first, what has no last moment behind; without gap or repeat, over pages as at once."""
    records = [h.EventStream(UUID(int=500 + number)) for number in range(6)]
    async with running(ground, Worklist()):
        queries = worklists(ground)
        for record in records:
            head = ground.append(record.seal(body) for body in [*care(), life.drafted(uuid4())])
            await queries.worklist("north", SURG, 0, "", head)
        await keep(ground, [runs(record, "round", 900 - 100 * number) for number, record in enumerate(records)])
        by_due = WorkAsked("department", "SURG", order=BY_DUE)
        whole = (await queries.worklist("north", by_due, 0, "", 0)).items
        seen: list[worklist_pb2.WorkItem] = []
        token = ""
        while not seen or token:
            page = await queries.worklist("north", by_due, 5, token, 0)
            seen += page.items
            token = page.next_page_token
    assert seen == list(whole)
    assert [item.due_at.seconds - h.FIRST_SECOND for item in seen[:6]] == [400, 500, 600, 700, 800, 900]
    assert [item.kind for item in seen[6:]] == [worklist_pb2.WORK_KIND_DRAFT] * 6


async def test_a_last_day_comes_after_its_moments_and_before_the_next(ground: Ground) -> None:
    """The records office by what is due: loans by their last day, a reopening by the moment at which it ends."""
    record, loans = h.EventStream(), [uuid4(), uuid4()]
    bodies = [*care(), h.archived(), life.lent(loans[0], "2023-11-15"), life.lent(loans[1], "2023-11-14")]
    async with running(ground, Worklist()):
        queries = worklists(ground)
        head = ground.append(record.seal(body) for body in [*bodies, life.reopened(uuid4())])
        answer = await queries.worklist("north", WorkAsked("records_office", order=BY_DUE), 0, "", head)
    # The window ends at 00:43 UTC on the 15th.
    assert [item.due_on for item in answer.items] == ["2023-11-14", "", "2023-11-15"]
