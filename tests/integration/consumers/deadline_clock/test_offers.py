"""An offer that nobody answers runs out on the ledger, not for its reader alone."""

from __future__ import annotations

from datetime import timedelta

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import transfers_pb2 as transfers
from tests.integration.consumers.deadline_clock.driven_hospital import BEGIN, DrivenHospital

SECOND = timedelta(seconds=1)
ENDS = BEGIN + timedelta(days=2)


async def test_the_clock_says_that_an_offer_has_run_out(north: DrivenHospital) -> None:
    """Not one second before its end; at it, once, however often the clock looks."""
    record_id = await north.visit(await north.patient())
    transfer_id = await north.offer(record_id, ENDS)
    north.at(ENDS - SECOND)
    await north.tick()
    assert await north.transfer_state(record_id, transfer_id) == common.TRANSFER_STATE_OFFERED
    north.after(SECOND)
    for _ in range(2):
        await north.tick()
    assert await north.transfer_state(record_id, transfer_id) == common.TRANSFER_STATE_EXPIRED
    assert (await north.events())["TransferExpired"] == 1


async def test_what_was_answered_or_replaced_does_not_run_out(north: DrivenHospital) -> None:
    """The recipient has it, or a later version took its place."""
    record_id = await north.visit(await north.patient())
    first = await north.offer(record_id, ENDS)
    second = await north.offer(record_id, ENDS)
    await north.heard(record_id, second, transfers.TRANSFER_ANSWER_VERIFIED)
    north.at(ENDS + SECOND)
    await north.tick()
    assert await north.transfer_state(record_id, first) == common.TRANSFER_STATE_SUPERSEDED
    assert await north.transfer_state(record_id, second) == common.TRANSFER_STATE_VERIFIED
    assert (await north.events())["TransferExpired"] == 0
