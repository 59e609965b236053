"""What the demo and the kill tests count on the published stream."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import pytest

from ledger.cli.demo.checks import every_message
from ledger.stream.contract import GapFound, PublishedEvent


class Polled:
    """A reader that hands out what it was given, some at a time."""

    def __init__(self, *polls: Sequence[PublishedEvent]) -> None:
        self._polls = list(polls)

    def partitions(self) -> int:
        """One."""
        return 1

    def topic_id(self) -> str:
        """Any."""
        return "t"

    def seek(self, partition: int, next_offset: int) -> None:
        """From the first."""

    def poll(self, timeout_s: float, events_max: int) -> Sequence[PublishedEvent]:
        """The next of them."""
        del timeout_s, events_max
        return self._polls.pop(0) if self._polls else ()

    def end(self, partition: int) -> int:
        """Not asked."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is held."""


def message(position: int) -> PublishedEvent:
    """The message of a position in the only partition."""
    return PublishedEvent("north", "o", position, UUID(int=1), position, "t", 0, b"", b"", 0, position - 1, position)


@pytest.mark.parametrize(
    "polls",
    [
        ([1, 2, 2, 3],),
        ([1, 2], [1, 2, 3]),
        ([1, 2, 3], [3]),
    ],
)
def test_a_repeated_message_is_counted(polls: tuple[list[int], ...]) -> None:
    """Within a poll, in a later one, and behind the last: "once" must be able to fail."""
    found = every_message(Polled(*([message(each) for each in poll] for poll in polls)), 3)
    assert [each.position for each in found] == [each for poll in polls for each in poll]


def test_a_message_that_is_missing_is_said() -> None:
    """By the message that follows it."""
    with pytest.raises(GapFound):
        every_message(Polled([message(1), message(3)]), 3)
