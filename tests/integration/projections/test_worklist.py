"""The worklist through the runner, on a real PostgreSQL: whom it waits for, by which rule, since when, in pages."""

from uuid import UUID, uuid4

from google.protobuf.timestamp_pb2 import Timestamp

from ledger.api.v1 import common_pb2, worklist_pb2
from ledger.api.v1 import keeping_values_pb2 as values
from ledger.views.queries import WorkAsked
from projections.worklist.open_deadlines import OpenDeadlines
from projections.worklist.view import Worklist
from projections.worklist_queries import WorklistQueries
from tests.contract.views import histories as h
from tests.contract.views import life_events as life
from tests.contract.views.ground import Ground
from tests.contract.views.running import reader, running

PHYSICIAN = str(UUID(int=70))
OFFICE = WorkAsked("records_office")


def worklists(ground: Ground) -> WorklistQueries:
    return WorklistQueries(reader(ground), OpenDeadlines(ground.pool))


def care(department: str = "SURG") -> list[h.Message]:
    started = h.care_started(department)
    started.responsible.id = PHYSICIAN
    return [h.registered(department), started]


def kinds(answer: worklist_pb2.GetWorklistResponse) -> list[tuple[int, str, str]]:
    return [(item.kind, item.rule, item.subject_id) for item in answer.items]


async def test_a_department_sees_what_waits_for_it(ground: Ground) -> None:
    """Overdue, drafts, to countersign, with rule and time; consultations at the department that was asked."""
    record, draft, entry, asked, gone = h.EventStream(), uuid4(), uuid4(), uuid4(), uuid4()
    bodies = [*care(), life.drafted(draft), life.drafted(entry), life.authored(entry), life.missed(rule="first-note")]
    bodies += [
        life.missed(rule="round"),
        life.miss_withdrawn(rule="round"),
        life.drafted(gone),
        h.entry_retracted(gone),
    ]
    bodies += [h.consultation_requested(asked), life.missed(asked)]
    async with running(ground, Worklist()):
        queries = worklists(ground)
        head = ground.append(record.seal(body) for body in bodies)
        own = await queries.worklist("north", WorkAsked("department", "SURG"), 0, "", head)
        other = await queries.worklist("north", WorkAsked("department", "CARD"), 0, "", 0)
        trainee = await queries.worklist("north", WorkAsked("person", life.TRAINEE.id), 0, "", 0)
        physician = await queries.worklist("north", WorkAsked("person", PHYSICIAN), 0, "", 0)
        drafts = WorkAsked("department", "SURG", kind=worklist_pb2.WORK_KIND_DRAFT)
        only = await queries.worklist("north", drafts, 0, "", 0)
    overdue = (worklist_pb2.WORK_KIND_OVERDUE, "first-note", "")
    draft_item = (worklist_pb2.WORK_KIND_DRAFT, "OPEN_DRAFT", str(draft))
    to_sign = (worklist_pb2.WORK_KIND_COUNTERSIGN, "NOT_SIGNED", str(entry))
    assert kinds(own) == [overdue, draft_item, to_sign]
    assert (own.items[0].since, own.items[0].due_at, own.items[0].overdue) == (h.at(1), h.at(50), True)
    assert kinds(other) == [
        (worklist_pb2.WORK_KIND_OVERDUE, "routine-consultation", str(asked)),
        (worklist_pb2.WORK_KIND_CONSULTATION, "CONSULTATION_OPEN", str(asked)),
    ]
    assert kinds(trainee) == kinds(only) == [draft_item]
    assert kinds(physician) == [overdue, to_sign]


async def test_a_consultation_asked_again_waits_since_the_first_time(ground: Ground) -> None:
    """Answered it waits for nobody; once the answer is retracted it waits as long as the patient does."""
    record, asked = h.EventStream(), uuid4()
    ask = WorkAsked("department", "CARD")
    async with running(ground, Worklist()):
        queries = worklists(ground)

        async def waits(*bodies: h.Message) -> list[Timestamp]:
            head = ground.append(record.seal(body) for body in bodies)
            return [each.since for each in (await queries.worklist("north", ask, 0, "", head)).items]

        (first,) = await waits(*care(), h.consultation_requested(asked))
        assert await waits(h.consultation_answered(asked)) == []
        assert await waits(h.consultation_requested(asked)) == [first]


async def test_what_waits_for_the_physician_in_charge_goes_to_the_next_one(ground: Ground) -> None:
    """Named after the start: the list of the one before is empty, the next one's has what waits for the record."""
    record, entry, following = h.EventStream(), uuid4(), str(UUID(int=71))
    async with running(ground, Worklist()):
        queries = worklists(ground)
        bodies = [*care(), life.authored(entry), life.missed(rule="round"), life.assigned(following)]
        head = ground.append(record.seal(body) for body in bodies)
        before = await queries.worklist("north", WorkAsked("person", PHYSICIAN), 0, "", head)
        after = await queries.worklist("north", WorkAsked("person", following), 0, "", 0)
    assert not before.items
    assert sorted(item.rule for item in after.items) == ["NOT_SIGNED", "round"]


async def test_what_was_returned_says_why_until_it_is_handed_in_again(ground: Ground) -> None:
    """With its defects and their score, at the department that has the patient now."""
    record = h.EventStream()
    returned = [*care(), h.moved_to("ICU"), h.care_ended(), h.submitted()]
    returned += [h.assessed(69, "C", "D1"), h.returned()]
    async with running(ground, Worklist()):
        queries = worklists(ground)
        head = ground.append(record.seal(body) for body in returned)
        (item,) = (await queries.worklist("north", WorkAsked("department", "ICU"), 0, "", head)).items
        assert (item.kind, item.phase) == (worklist_pb2.WORK_KIND_RETURNED, common_pb2.PHASE_RETURNED)
        assert ([each.code for each in item.defects], item.score, item.grade) == (["D1"], 69, "C")
        head = ground.append([record.seal(h.submitted())])
        assert not (await queries.worklist("north", WorkAsked("department", "ICU"), 0, "", head)).items


async def test_the_records_office_sees_what_it_has_to_do(ground: Ground) -> None:
    """Not filed, on loan (overdue by the date asked for), retention, requests; answered and filed ones are gone."""
    closed, kept, loan, request = h.EventStream(), h.EventStream(), uuid4(), uuid4()
    bodies = [*care(), h.care_ended(), h.submitted(), h.archived(), life.lent(loan), life.requested(request)]
    async with running(ground, Worklist()):
        queries = worklists(ground)

        async def office(on_date: str = "", position: int = 0) -> dict[str, bool]:
            answer = await queries.worklist("north", WorkAsked("records_office", on_date=on_date), 0, "", position)
            return {item.rule: item.overdue for item in answer.items}

        first = ground.append([closed.seal(body) for body in (*care(), h.care_ended())])
        head = ground.append([kept.seal(body) for body in bodies])
        await office(position=first)
        assert await office(position=head) == {"CARE_ENDED": False, "LENT": False, "REQUEST_OPEN": False}
        late = await office("2024-02-01")
        assert late == {"CARE_ENDED": False, "LENT": True, "REQUEST_OPEN": True}
        assert "RETAIN_UNTIL" in await office("2053-11-14")
        ended = [life.loan_returned(loan), life.answered(request), life.term_over()]
        head = ground.append(kept.seal(body) for body in ended)
        assert await office(position=head) == {"CARE_ENDED": False, "TERM_OVER": False}
        kept_for_ever = life.approved(values.DISPOSAL_OPINION_KEEP)
        head = ground.append([kept.seal(kept_for_ever), kept.seal(life.reopened(loan))])
        assert await office(position=head) == {"CARE_ENDED": False, "REOPENED": False}


async def test_pages_of_a_worklist(ground: Ground) -> None:
    """The longest waiting first, without gap or repeat."""
    record, loans = h.EventStream(), [uuid4() for _ in range(5)]
    async with running(ground, Worklist()):
        queries = worklists(ground)
        bodies = [*care(), h.archived(), *(life.lent(loan) for loan in loans)]
        head = ground.append(record.seal(body) for body in bodies)
        seen: list[str] = []
        token = ""
        while not seen or token:
            page = await queries.worklist("north", OFFICE, 2, token, head)
            seen += [item.subject_id for item in page.items]
            token = page.next_page_token
    assert seen == [str(loan) for loan in loans]


async def test_the_records_office_sees_whom_to_tell_of_a_change(ground: Ground) -> None:
    """Every copy of one event and the package; told or replaced, it is nobody's item any more."""
    record, told, replaced, waiting = h.EventStream(), uuid4(), uuid4(), uuid4()
    bodies = [*care(), life.copies_outdated(told), life.package_outdated(replaced), life.package_outdated(waiting)]
    bodies += [life.holder_told(told), h.transfer_superseded(replaced, waiting)]
    async with running(ground, Worklist()):
        head = ground.append(record.seal(body) for body in bodies)
        found = await worklists(ground).worklist("north", OFFICE, 0, "", head)
        only = WorkAsked("records_office", kind=worklist_pb2.WORK_KIND_HOLDER)
        assert kinds(await worklists(ground).worklist("north", only, 0, "", head)) == kinds(found)
    other_copy = str(UUID(int=74))
    holder = worklist_pb2.WORK_KIND_HOLDER
    assert kinds(found) == [(holder, "OUTDATED", other_copy), (holder, "OUTDATED", str(waiting))]


async def test_what_a_sample_found_waits_until_it_is_looked_at_again(ground: Ground) -> None:
    """With its defects and since when: for the department and who is in charge until it is mended, then for quality."""
    record, fine = h.EventStream(), h.EventStream()
    sample = worklist_pb2.WORK_KIND_SAMPLE
    lists = {
        "office": OFFICE,
        "ward": WorkAsked("department", "SURG"),
        "physician": WorkAsked("person", PHYSICIAN, kind=sample),
    }
    async with running(ground, Worklist()):
        queries = worklists(ground)

        async def found(*bodies: h.Message) -> dict[str, list[str]]:
            head = ground.append(record.seal(body) for body in bodies)
            shown = {name: (await queries.worklist("north", of, 0, "", head)).items for name, of in lists.items()}
            waiting = [item for items in shown.values() for item in items if item.kind == sample]
            assert all(item.since == h.at(5) for item in waiting)
            assert all([each.code for each in item.defects] == ["LANGUAGE"] for item in waiting)
            assert all((item.score, item.grade) == (90, "A") for item in waiting)
            return {name: [item.rule for item in items if item.kind == sample] for name, items in shown.items()}

        head = ground.append(fine.seal(body) for body in (*care(), h.archived(), life.sampled(passed=True)))
        await queries.worklist("north", OFFICE, 0, "", head)
        everybody, nobody = ({name: list(rules) for name in lists} for rules in (["SAMPLE_NOT_PASSED"], []))
        assert await found(*care(), h.care_ended(), h.archived(), life.sampled("LANGUAGE")) == everybody
        assert await found(life.reopened(uuid4())) == everybody
        assert await found(life.rearchived(uuid4())) == nobody | {"office": ["SAMPLE_TO_CHECK"]}
        assert await found(life.sampled("LANGUAGE")) == everybody
        assert await found(life.rearchived(uuid4()), life.sampled(passed=True)) == nobody
