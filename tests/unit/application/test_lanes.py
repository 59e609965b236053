"""One command of a stream at a time; streams beside each other."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from ledger.application.lanes import Lanes

ONE, OTHER = UUID(int=1), UUID(int=2)


async def test_commands_of_one_stream_wait_for_each_other_in_order() -> None:
    """First come, first served, and never two at once."""
    lanes, inside, order = Lanes(), 0, list[int]()

    async def command(number: int) -> None:
        nonlocal inside
        async with lanes.enter(ONE):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0)
            order.append(number)
            inside -= 1

    await asyncio.gather(*(command(number) for number in range(20)))
    assert order == list(range(20))


@pytest.mark.parametrize("second", [OTHER, None])
async def test_other_streams_and_new_ones_do_not_wait(second: UUID | None) -> None:
    """A lane holds up its own stream alone; a stream that does not exist yet has none."""
    lanes = Lanes()
    async with lanes.enter(ONE), asyncio.timeout(30), lanes.enter(second), lanes.enter(None):
        pass


async def test_a_lane_is_free_again_after_a_fault_and_after_a_cancelled_wait() -> None:
    """Whoever leaves, by whatever way, lets the next one in."""
    lanes = Lanes()
    with pytest.raises(ZeroDivisionError):
        async with lanes.enter(ONE):
            raise ZeroDivisionError
    async with lanes.enter(ONE):
        waiting = asyncio.create_task(_pass(lanes))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with asyncio.timeout(30):
        await _pass(lanes)


async def test_nothing_is_kept_of_a_lane_that_nobody_uses() -> None:
    """Memory does not grow with the streams that were ever used."""
    lanes = Lanes()
    await asyncio.gather(*(_pass(lanes, UUID(int=number % 7)) for number in range(50)))
    assert not lanes._lanes  # pyright: ignore[reportPrivateUsage]


async def _pass(lanes: Lanes, stream_id: UUID = ONE) -> None:
    async with lanes.enter(stream_id):
        await asyncio.sleep(0)
