"""The deadline clock reports by a pack that was added while the service ran, and by the old one for older records."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1.rulebook_pb2_grpc import RulebookServiceStub
from tests.contract.edge.rulebook_requests import add_pack, add_templates, choose
from tests.integration.consumers.deadline_clock.driven_hospital import BEGIN, DrivenHospital

TERM = timedelta(minutes=30)
SHANGHAI = ZoneInfo("Asia/Shanghai")
LONGER = """\
id = "longer"
version = 1
extends = "cn-2010@1"

[retention.OUTPATIENT]
class = "outpatient"
years = 20
source = "rule of the house"
unconfirmed = false
"""
DAYS_2027 = """\
id = "days-2027"
version = 1
extends = "cn-2010@1"

[calendar]
holidays = [2027-02-05, 2027-02-08, 2027-02-09, 2027-02-10, 2027-02-11]
make_up_days = []
"""


async def test_a_deadline_of_an_added_pack_is_reported(north: DrivenHospital) -> None:
    """Nothing is said at its second, one second later it is; a record of before has no such deadline."""
    before = await north.visit(await north.patient())
    book = RulebookServiceStub(north.channel)
    await book.AddTemplates(add_templates())
    await book.AddRulePack(add_pack())
    await book.ChooseRulePack(choose())
    after = await north.visit(await north.patient())
    north.at(BEGIN + TERM)
    await north.tick()
    assert await north.reported(after) == set()
    north.after(timedelta(seconds=1))
    await north.tick()
    assert await north.reported(after) == {"triage"}
    assert await north.reported(before) == set()


async def test_a_term_is_over_by_the_pack_in_force_too(north: DrivenHospital) -> None:
    """A pack that keeps longer, chosen after the record was archived: its own day passes, and the later one ends it."""
    record_id = await north.archived(await north.patient())
    await north.tick()
    book = RulebookServiceStub(north.channel)
    await book.AddRulePack(add_pack(LONGER))
    await book.ChooseRulePack(choose("longer"))
    for year, phase in ((2041, common.PHASE_ARCHIVED), (2046, common.PHASE_DUE)):
        north.at(datetime(year, 3, 2, tzinfo=SHANGHAI))
        await north.tick()
        found = await north.retention(record_id)
        assert (found.phase, found.computed_until) == (phase, "2046-03-02")
    assert found.retain_until == "2046-03-02"


async def test_another_calendar_moves_what_is_open_and_takes_back_what_was_reported(north: DrivenHospital) -> None:
    """Days off that are announced later: a report of before is withdrawn, the term runs to its new last second."""
    reported, open_ = await north.visit(await north.patient()), await north.visit(await north.patient())
    north.at(datetime(2027, 2, 4, 15, tzinfo=SHANGHAI))
    await north.end(reported)
    north.at(datetime(2027, 2, 5, 15, tzinfo=SHANGHAI))
    await north.end(open_)
    north.at(datetime(2027, 2, 9, tzinfo=SHANGHAI))
    await north.tick()
    assert "filing" in await north.reported(reported)
    assert "filing" not in await north.reported(open_)
    assert [each.undated for each in (await north.deadlines(open_)).deadlines if each.rule == "filing"] == [True]
    book = RulebookServiceStub(north.channel)
    await book.AddRulePack(add_pack(DAYS_2027))
    await book.ChooseRulePack(choose("days-2027"))
    await north.tick()
    assert "filing" not in await north.reported(reported)
    for seconds, late in ((0, set[str]()), (1, {"filing"})):
        north.at(datetime(2027, 2, 15, 23, 59, 59, tzinfo=SHANGHAI) + timedelta(seconds=seconds))
        await north.tick()
        for record_id in (reported, open_):
            assert {"filing"} & await north.reported(record_id) == late
