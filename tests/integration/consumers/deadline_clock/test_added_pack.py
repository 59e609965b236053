"""The deadline clock reports by a pack that was added while the service ran, and by the old one for older records."""

from __future__ import annotations

from datetime import timedelta

from ledger.api.v1.rulebook_pb2_grpc import RulebookServiceStub
from tests.contract.edge.rulebook_requests import add_pack, add_templates, choose
from tests.integration.consumers.deadline_clock.driven_hospital import BEGIN, DrivenHospital

TERM = timedelta(minutes=30)


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
