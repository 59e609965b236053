"""The archive register through the runner, on a real PostgreSQL: what lies over a record, filters, orders, the end."""

from uuid import UUID, uuid4

import psycopg
import pytest

from ledger.api.v1 import boards_pb2, common_pb2
from ledger.api.v1 import keeping_values_pb2 as values
from ledger.views.errors import BadPageToken
from ledger.views.queries import RegisterFilter
from projections.archive_queries import ArchiveQueries
from projections.archive_register.view import ArchiveRegister
from tests.contract.views import histories as h
from tests.contract.views import life_events as life
from tests.contract.views.ground import Ground
from tests.contract.views.running import reader, running

ALL = RegisterFilter()


async def test_a_row_shows_what_lies_over_the_record(ground: Ground) -> None:
    """Both names, holds, seals, the loan by the borrower's id, papers, copies, restricted use; what is over is gone."""
    record, hold, over, loan, scan = h.EventStream(), uuid4(), uuid4(), uuid4(), uuid4()
    kept = [
        h.registered(),
        h.care_started(),
        h.care_ended(),
        h.assessed(88, "B"),
        h.passed(88),
        h.archived(),
        life.extended(),
    ]
    laid = [
        life.hold_placed(hold),
        life.hold_placed(over),
        life.hold_lifted(over),
        life.sealed(hold),
        life.copied(hold),
    ]
    laid += [life.lent(loan), life.loan_renewed(loan), life.scanned(scan), life.scanned(over), life.accounted(over)]
    laid += [life.shelved(scan), life.shelved(over)]
    fresh = h.EventStream()
    async with running(ground, ArchiveRegister()):
        queries = ArchiveQueries(reader(ground))
        first = ground.append([fresh.seal(h.registered())])
        head = ground.append(record.seal(body) for body in (*kept, *laid, life.restricted(hold)))
        await queries.archive_register("north", ALL, 0, "", first)
        running_record, row = (await queries.archive_register("north", ALL, 0, "", head)).rows
    assert running_record.name == boards_pb2.RECORD_NAME_RUNNING_RECORD
    assert row.name == boards_pb2.RECORD_NAME_ARCHIVED_CASE
    assert (row.score, row.grade, row.retain_until) == (88, "B", "2054-05-01")
    assert (row.copies, row.restricted) == (1, True)
    assert [(each.hold_id, each.authority) for each in row.holds] == [(str(hold), "district court")]
    assert [each.mode for each in row.seals] == [values.SEAL_MODE_COPY]
    assert (row.loan.borrower_id, row.loan.due_on) == (str(UUID(int=72)), "2024-02-15")
    assert [(each.scan_id, each.shelf) for each in row.papers] == [(str(scan), "C-3")]
    assert not row.HasField("disposal")


async def test_filters_and_orders_on_the_server(ground: Ground) -> None:
    """By phase, held, lent and retention date, in each order; a token is of one filter and order only."""
    held, lent, late = h.EventStream(), h.EventStream(), h.EventStream()
    kept = (h.registered(case_number="C9"), h.care_started(), h.archived())
    async with running(ground, ArchiveRegister()):
        queries = ArchiveQueries(reader(ground))

        async def found(asked: RegisterFilter, position: int = 0) -> list[str]:
            rows = (await queries.archive_register("north", asked, 0, "", position)).rows
            return [row.record_id for row in rows]

        heads = [
            ground.append([held.seal(body) for body in (*kept, life.extended(), life.hold_placed(uuid4()))]),
            ground.append([lent.seal(body) for body in (*kept, life.lent(uuid4()))]),
            ground.append([late.seal(h.registered(case_number="C1"))]),
        ]
        for head in heads:
            await found(ALL, head)
        one, two, three = str(held.stream_id), str(lent.stream_id), str(late.stream_id)
        assert await found(ALL) == [one, two, three]
        assert await found(RegisterFilter(held=True)) == [one]
        assert await found(RegisterFilter(lent=True)) == [two]
        assert await found(RegisterFilter(phase=common_pb2.PHASE_ARCHIVED)) == [one, two]
        assert await found(RegisterFilter(retention_before="2054-01-01")) == [two]
        by_date = RegisterFilter(order=boards_pb2.REGISTER_ORDER_RETAIN_UNTIL)
        assert await found(by_date) == [three, two, one]
        assert await found(RegisterFilter(order=boards_pb2.REGISTER_ORDER_CASE_NUMBER)) == [three, one, two]
        seen: list[str] = []
        token = ""
        while not seen or token:
            page = await queries.archive_register("north", by_date, 1, token, 0)
            seen, token = [*seen, page.rows[0].record_id], page.next_page_token
            if token:
                with pytest.raises(BadPageToken):
                    await queries.archive_register("north", ALL, 1, token, 0)
        assert seen == [three, two, one]


async def test_filters_for_seals_quality_and_department(ground: Ground) -> None:
    """By what holds now: a seal lifted, a record handed in again, a patient moved on are found no more."""
    sealed, passed, seal = h.EventStream(), h.EventStream(), uuid4()
    filters = {
        "sealed": RegisterFilter(sealed=True),
        "passed": RegisterFilter(quality_passed=True),
        "MED": RegisterFilter(department="MED"),
        "ICU": RegisterFilter(department="ICU"),
    }
    first = [sealed.seal(body) for body in (h.registered("MED"), life.sealed(seal))]
    begun = (h.registered("SURG"), h.care_started("MED"), h.care_ended(), h.submitted(), h.passed())
    async with running(ground, ArchiveRegister()):
        queries = ArchiveQueries(reader(ground))

        async def found(*events: h.Sealed) -> dict[str, list[str]]:
            await queries.archive_register("north", ALL, 0, "", ground.append(events))
            of = {str(sealed.stream_id): "one", str(passed.stream_id): "two"}
            rows = {
                name: (await queries.archive_register("north", asked, 0, "", 0)).rows for name, asked in filters.items()
            }
            assert all(row.quality_passed for row in rows["passed"])
            return {name: [of[row.record_id] for row in shown] for name, shown in rows.items()}

        assert await found(*first) == {"sealed": ["one"], "passed": [], "MED": ["one"], "ICU": []}
        after = await found(*(passed.seal(body) for body in begun))
        assert after == {"sealed": ["one"], "passed": ["two"], "MED": ["one", "two"], "ICU": []}
        after = await found(passed.seal(h.moved_to("ICU")), passed.seal(h.submitted()))
        assert after == {"sealed": ["one"], "passed": [], "MED": ["one"], "ICU": ["two"]}
        after = await found(sealed.seal(life.unsealed(seal)))
        assert after == {"sealed": [], "passed": [], "MED": ["one"], "ICU": ["two"]}


async def test_a_destroyed_record_leaves_a_tombstone(ground: Ground) -> None:
    """Its place, head and list; no number, no date, no overlay, also in the tables themselves."""
    record, destruction_list = h.EventStream(), uuid4()
    destroy = values.DISPOSAL_OPINION_DESTROY
    lived = [h.registered(case_number="C77"), h.care_started(), h.archived(), life.hold_placed(uuid4())]
    ended = [life.term_over(), life.appraised(destroy), life.approved(destroy, destruction_list)]
    async with running(ground, ArchiveRegister()):
        queries = ArchiveQueries(reader(ground))
        head = ground.append([record.seal(body) for body in (*lived, *ended)])
        (due,) = (await queries.archive_register("north", ALL, 0, "", head)).rows
        last = record.seal(life.destroyed(destruction_list))
        head = ground.append([last])
        (row,) = (await queries.archive_register("north", ALL, 0, "", head)).rows
    assert (due.phase, due.disposal.opinion, due.disposal.approved) == (common_pb2.PHASE_DUE, destroy, True)
    assert (row.phase, row.head_leaf, row.record_version) == (common_pb2.PHASE_DESTROYED, last.leaf, record.version)
    assert (row.disposal.list_id, row.disposal.destroyed_at) == (str(destruction_list), h.at(record.version))
    assert (row.case_number, row.retain_until, row.retention_class, row.visit_sequence) == ("", "", "", 0)
    assert not row.HasField("archived_at")
    with psycopg.connect(ground.database.url) as connection:
        left = connection.execute("SELECT count(*) FROM v_north.archive_register_overlays").fetchone()
    assert left == (0,)


async def test_what_a_sample_drew_stands_in_the_register(ground: Ground) -> None:
    """To be mended, to be looked at again once it was archived again, good enough; each is a filter."""
    sampled, other = h.EventStream(), h.EventStream()
    visit = (h.registered(), h.care_started(), h.care_ended(), h.archived())
    standings = {
        boards_pb2.SAMPLE_STANDING_TO_MEND: (life.sampled("LANGUAGE"), h.at(5)),
        boards_pb2.SAMPLE_STANDING_TO_CHECK: (life.rearchived(uuid4()), h.at(5)),
        boards_pb2.SAMPLE_STANDING_PASSED: (life.sampled(passed=True), h.at(7)),
    }
    async with running(ground, ArchiveRegister()):
        queries = ArchiveQueries(reader(ground))
        head = ground.append([other.seal(body) for body in visit])
        await queries.archive_register("north", ALL, 0, "", head)
        ground.append([sampled.seal(body) for body in visit])
        for standing, (body, at) in standings.items():
            head = ground.append([sampled.seal(body)])
            for asked in standings:
                page = await queries.archive_register("north", RegisterFilter(sample=asked), 0, "", head)
                found = [(row.record_id, row.sample, row.score, row.grade, row.sampled_at) for row in page.rows]
                assert found == ([(str(sampled.stream_id), standing, 90, "A", at)] if asked == standing else [])
