"""The deadline clock on a real server and a real PostgreSQL; what time it is, the test says."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg import sql

from consumers.deadline_clock.work import Act
from ledger.api.v1 import common_pb2 as common
from ledger.stream.contract import StreamUnavailable
from ledger.views.statements import views_schema
from tests.eventually import eventually_async
from tests.integration.consumers.deadline_clock.driven_hospital import BEGIN, NORTH, DrivenHospital
from tests.services.postgres import Database

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ADMISSION = ("admission_note", "chief_complaint", "history", "examination", "assessment")


async def test_a_deadline_is_reported_one_second_after_it_and_once(north: DrivenHospital) -> None:
    """At its second nothing is said, one second later it is, and never again."""
    record_id = await north.visit(await north.patient())
    north.at(BEGIN + 8 * HOUR)
    await north.tick()
    assert await north.reported(record_id) == set()
    north.after(SECOND)
    for _ in range(3):
        await north.tick()
    assert await north.reported(record_id) == {"first_course_note"}
    assert (await north.events())["DeadlineMissed"] == 1


async def test_a_late_entry_is_taken_and_stays_reported(north: DrivenHospital) -> None:
    """What is late is written all the same, and takes nothing back."""
    record_id = await north.visit(await north.patient())
    north.after(25 * HOUR)
    await north.tick()
    assert "admission_record" in await north.reported(record_id)
    await north.enter(record_id, *ADMISSION)
    await north.tick()
    assert "admission_record" in await north.reported(record_id)
    assert (await north.events())["DeadlineMissWithdrawn"] == 0


async def test_what_was_written_in_time_is_not_waited_for(north: DrivenHospital) -> None:
    """An entry takes its deadline off the clock's table; nothing is reported when its time comes."""
    record_id = await north.visit(await north.patient())
    await north.tick()
    assert "admission_record" in await _waited_for(north)
    await north.enter(record_id, *ADMISSION)
    await north.tick()
    assert "admission_record" not in await _waited_for(north)
    north.after(30 * HOUR)
    await north.tick()
    assert "admission_record" not in await north.reported(record_id)


async def test_a_withdrawn_discharge_withdraws_what_was_counted_from_it(north: DrivenHospital) -> None:
    """The report is taken back by a new event; the next discharge starts the clock anew and is reported as well."""
    record_id = await north.visit(await north.patient())
    await north.end(record_id)
    north.after(25 * HOUR)
    await north.tick()
    assert {"discharge_record", "front_page"} <= await north.reported(record_id)
    await north.resume(record_id)
    await north.tick()
    assert not {"discharge_record", "front_page"} & await north.reported(record_id)
    assert (await north.events())["DeadlineMissWithdrawn"] == 2
    await north.end(record_id)
    north.after(25 * HOUR)
    await north.tick()
    assert {"discharge_record", "front_page"} <= await north.reported(record_id)


async def test_a_corrected_start_moves_what_runs_and_takes_a_false_report_back(north: DrivenHospital) -> None:
    """The clock keeps the new date, withdraws what was not missed after all, and reports once the new date is over."""
    record_id = await north.visit(await north.patient())
    north.after(9 * HOUR)
    await north.tick()
    assert await north.reported(record_id) == {"first_course_note"}
    await north.begin_care_at(record_id, BEGIN + 2 * HOUR)
    await north.tick()
    assert await north.reported(record_id) == set()
    assert (await north.events())["DeadlineMissWithdrawn"] == 1
    assert "first_course_note" in await _waited_for(north)
    north.at(BEGIN + 10 * HOUR)
    await north.tick()
    assert await north.reported(record_id) == set()
    north.after(SECOND)
    await north.tick()
    assert await north.reported(record_id) == {"first_course_note"}


async def test_two_clocks_at_once_report_once(north: DrivenHospital) -> None:
    """One works and the other waits; even two that look at the same record at the same moment report it once."""
    recorded = [await north.visit(await north.patient()) for _ in range(20)]
    north.after(9 * HOUR)
    async with north.clocks() as some, north.clocks() as others:
        stop = asyncio.Event()
        running = [asyncio.create_task(each.run(NORTH, stop, lambda: None)) for each in (some, others)]

        async def all_reported() -> bool:
            return (await north.events())["DeadlineMissed"] >= len(recorded)

        await eventually_async(all_reported)
        stop.set()
        await asyncio.gather(*running)
        north.after(16 * HOUR)
        looks = [(await each.of(NORTH)).deadlines for each in (some, others)]
        for record_id in recorded:
            await asyncio.gather(*(each.look(UUID(record_id)) for each in looks))
    expected = {"first_course_note", "admission_record"}
    assert all([expected <= await north.reported(each) for each in recorded])
    events = await north.events()
    assert events["DeadlineMissed"] == sum([len(await north.reported(each)) for each in recorded])


async def test_a_clock_that_lost_its_tables_reports_nothing_twice(north: DrivenHospital, database: Database) -> None:
    """The tables can be thrown away: read from its start, the stream gives the same open deadlines again."""
    await north.visit(await north.patient())
    north.after(9 * HOUR)
    await north.tick()
    before, waited_for = await north.events(), await _waited_for(north)
    with psycopg.connect(database.url, autocommit=True) as connection:
        for table in ("work", "checkpoints", "holder"):
            name = sql.Identifier(views_schema(NORTH), f"deadline_clock_{table}")
            connection.execute(sql.SQL("DROP TABLE {}").format(name))
    await north.tick()
    assert await north.events() == before
    assert await _waited_for(north) == waited_for


async def test_deadlines_that_an_earlier_release_kept_get_their_beginning(
    north: DrivenHospital, database: Database
) -> None:
    """Its table had no beginnings and knew two reasons to look: it is changed where it stands, and nothing is lost."""
    record_id = await north.visit(await north.patient())
    await north.tick()
    work = sql.Identifier(views_schema(NORTH), "deadline_clock_work")
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER TABLE {} DROP COLUMN since").format(work))
        of_then = "ALTER TABLE {} ADD CONSTRAINT deadline_clock_work_act_check CHECK (act IN ('deadline', 'retention'))"
        connection.execute(sql.SQL(of_then).format(work))
    await north.tick()
    async with north.clocks() as clocks:
        found = await (await clocks.of(NORTH)).tables.open(1000)
    assert found
    assert {each.since for each in found} == {BEGIN}
    assert {each.record_id for each in found} == {UUID(record_id)}


async def test_events_that_are_missing_are_looked_for_from_the_start(north: DrivenHospital, database: Database) -> None:
    """A clock whose offset leads past an event it never handled stops there, reads from the start, and goes on."""
    await north.visit(await north.patient())
    await north.tick()
    with psycopg.connect(database.url, autocommit=True) as connection:
        name = sql.Identifier(views_schema(NORTH), "deadline_clock_checkpoints")
        connection.execute(sql.SQL("UPDATE {} SET position = position - 1").format(name))
    later = await north.visit(await north.patient())
    with pytest.raises(StreamUnavailable):
        await north.tick()
    assert await north.state_of_clock() == "gap"
    north.after(9 * HOUR)
    await north.tick()
    assert await north.reported(later) == {"first_course_note"}
    assert await north.state_of_clock() == "running"


async def test_a_readmission_moves_the_dates_of_earlier_records(north: DrivenHospital) -> None:
    """Registration and discharge of a later visit move the date on; a visit of another class does not."""
    patient = await north.patient()
    first = await north.archived(patient)
    other = await north.archived(await north.patient())
    promised = (await north.retention(first)).retain_until
    assert promised == "2041-03-02"
    north.after(100 * DAY)
    await north.visit(patient, 2, common.VISIT_TYPE_INPATIENT)
    await north.tick()
    assert (await north.retention(first)).retain_until == promised
    again = await north.visit(patient, 3, common.VISIT_TYPE_OUTPATIENT)
    await north.tick()
    assert (await north.retention(first)).retain_until == "2041-06-10"
    north.after(3 * DAY)
    await north.end(again)
    await north.tick()
    await north.tick()
    assert (await north.retention(first)).retain_until == "2041-06-13"
    assert (await north.retention(other)).retain_until == promised
    assert (await north.events())["RetentionExtended"] == 2


async def test_a_term_ends_on_its_day(north: DrivenHospital) -> None:
    """It begins at midnight in the hospital; a second before nothing happens, then the record becomes due, once."""
    record_id = await north.archived(await north.patient())
    await north.tick()
    day = datetime(2041, 3, 2, tzinfo=ZoneInfo("Asia/Shanghai"))
    found = await north.retention(record_id)
    assert (found.computed_until, found.term_over_at.ToDatetime(UTC)) == ("2041-03-02", day)
    north.at(day - SECOND)
    await north.tick()
    assert (await north.retention(record_id)).phase == common.PHASE_ARCHIVED
    north.at(day)
    await north.tick()
    await north.tick()
    assert (await north.retention(record_id)).phase == common.PHASE_DUE
    assert (await north.events())["RetentionEnded"] == 1


async def test_a_readmission_brings_a_due_record_back(north: DrivenHospital) -> None:
    """A patient who comes again after the term: the record is an archived case again, with a later date."""
    patient = await north.patient()
    record_id = await north.archived(patient)
    await north.tick()
    north.at(BEGIN.replace(year=2041, month=5))
    await north.tick()
    assert (await north.retention(record_id)).phase == common.PHASE_DUE
    await north.visit(patient, 2, common.VISIT_TYPE_OUTPATIENT)
    await north.tick()
    found = await north.retention(record_id)
    assert (found.phase, found.retain_until) == (common.PHASE_ARCHIVED, "2056-05-02")


async def test_an_open_stay_holds_the_end_of_a_term_up(north: DrivenHospital) -> None:
    """A visit that goes on when the earlier record's day comes: the day moves, the record stays."""
    patient = await north.patient()
    record_id = await north.archived(patient)
    await north.visit(patient, 2, common.VISIT_TYPE_OUTPATIENT)
    await north.tick()
    north.at(BEGIN.replace(year=2041, month=5))
    await north.tick()
    found = await north.retention(record_id)
    assert (found.phase, found.term_over) == (common.PHASE_ARCHIVED, False)


async def _waited_for(north: DrivenHospital) -> set[str]:
    async with north.clocks() as clocks:
        work = await (await clocks.of(NORTH)).tables.open(1000)
    return {each.rule for each in work if each.act is Act.DEADLINE}
