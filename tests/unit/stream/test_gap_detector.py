"""How a reader proves that it lost nothing."""

from uuid import UUID

import pytest

from ledger.stream.contract import GapDetector, GapFound, PublishedEvent


def event(position: int, prev: int, partition: int = 0) -> PublishedEvent:
    return PublishedEvent("north", "o", position, UUID(int=0), 1, "t", 1, b"", b"", partition, prev, 0)


def test_events_up_to_the_checkpoint_are_skipped() -> None:
    gaps = GapDetector({0: 5})
    assert [gaps.is_new(event(position, position - 1)) for position in (4, 5, 6, 6, 7)] == [
        False,
        False,
        True,
        False,
        True,
    ]


def test_partitions_are_told_apart() -> None:
    gaps = GapDetector({0: 0, 1: 0})
    assert gaps.is_new(event(1, 0, 0))
    assert gaps.is_new(event(2, 0, 1))
    assert gaps.is_new(event(9, 1, 0))
    assert gaps.is_new(event(7, 2, 1))


@pytest.mark.parametrize(("position", "prev"), [(8, 7), (8, 4), (8, 0)])
def test_other_predecessor_than_the_last_one_handled_stops(position: int, prev: int) -> None:
    """Too high: an event is missing. Too low: the checkpoint is of another history."""
    gaps = GapDetector({0: 5})
    with pytest.raises(GapFound) as raised:
        gaps.is_new(event(position, prev))
    assert (raised.value.handled, raised.value.named) == (5, prev)


def test_gap_stays() -> None:
    """A second try does not step over it."""
    gaps = GapDetector({0: 5})
    for _ in range(2):
        with pytest.raises(GapFound):
            gaps.is_new(event(8, 7))
