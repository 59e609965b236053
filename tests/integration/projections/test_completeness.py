"""Waiting for all that there was: what is written behind the head meanwhile neither helps nor holds up."""

import pytest

from ledger.views.errors import WaitTimedOut
from projections import completeness
from projections.completeness import BehindHead, Completeness, Reached
from tests.contract.views import histories as h
from tests.contract.views.ground import PARTITIONS, Ground, partition_of
from tests.integration.projections.test_freshness import VIEW, by_hand, one_stream_per_partition


async def test_what_comes_behind_the_head_neither_helps_nor_holds_up(ground: Ground) -> None:
    """More events are handled than there were, and yet one is missing; then it is there, though others are not."""
    hand = await by_hand(ground)
    streams = one_stream_per_partition()
    head = ground.append([stream.seal(h.registered()) for stream in streams])
    for partition in range(PARTITIONS - 1):
        await hand.handle(partition)
    ground.append([stream.seal(h.care_started()) for stream in streams])
    for partition in (0, 2, 3, 4):
        await hand.handle(partition)
    waiting = Completeness(ground.pool, ground, partition_of, 0.2)
    with pytest.raises(WaitTimedOut) as caught:
        await waiting.wait("north", [VIEW.name], head)
    assert (caught.value.view, caught.value.position, caught.value.reached) == (VIEW.name, head, head - 1)
    await hand.handle(5)
    await waiting.wait("north", [VIEW.name], head)
    assert sum(each.events for each in hand.at.values()) < ground.head
    with pytest.raises(WaitTimedOut):
        await waiting.wait("north", [VIEW.name], ground.head)


async def test_what_comes_behind_the_head_is_read_within_a_limit(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies beyond it is taken for handled: rather nobody draws than somebody without a record."""
    hand = await by_hand(ground)
    ground.append([stream.seal(h.registered()) for stream in one_stream_per_partition()])
    for partition in (0, 5):
        await hand.handle(partition)
    waiting = Completeness(ground.pool, ground, partition_of, 0.2)
    await waiting.wait("north", [VIEW.name], 1)
    monkeypatch.setattr(completeness, "BEHIND_HEAD_MAX", 3)
    with pytest.raises(WaitTimedOut):
        await waiting.wait("north", [VIEW.name], 1)


async def test_a_view_that_was_never_built_has_handled_nothing(ground: Ground) -> None:
    """Before the first build there are not even the tables; an empty ledger is handled all the same."""
    waiting = Completeness(ground.pool, ground, partition_of, 0.1)
    await waiting.wait("north", [VIEW.name], 0)
    with pytest.raises(WaitTimedOut) as caught:
        await waiting.wait("north", [VIEW.name], 1)
    assert caught.value.reached == 0


def test_a_view_that_is_laid_out_anew_is_counted_anew() -> None:
    """The stream of one partition has all in it; after a rebuild from many each has its own."""
    streams = [stream.stream_id for stream in one_stream_per_partition()]
    behind = BehindHead(10, partition_of)
    behind.lay_out(1)
    behind.add(streams)
    assert behind.handled_before([Reached(0, 13, 13)]) == 10
    behind.lay_out(PARTITIONS)
    assert behind.handled_before([Reached(number, 10, number) for number in range(PARTITIONS)]) == 15
    assert behind.handled_before([Reached(number, 11 + number, number) for number in range(PARTITIONS)]) == 9
    assert behind.handled_before([Reached(0, 18, 18)]) == 15
