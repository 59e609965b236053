"""Whether a row reaches its target, and what the program's exit status says of all its rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The three verdicts, and two that are none."""

    REACHED = "reached"
    MISSED = "missed"
    NOISY = "NOISY"
    """Pairs of the run lie on both sides of the target: measured again, it could come out either way."""
    NOT_MEASURED = "not measured"
    NO_TARGET = "-"
    """The row stands beside others, to be compared with."""


_STATUS = {Verdict.REACHED: 0, Verdict.MISSED: 1, Verdict.NOISY: 2, Verdict.NOT_MEASURED: 2, Verdict.NO_TARGET: 0}


@dataclass(frozen=True)
class Target:
    """What a row's figure is held against: at least so much, or at most."""

    value: float
    at_most: bool = False

    def __str__(self) -> str:
        return f"{'<=' if self.at_most else '>='} {self.value:g}"

    def verdict(self, figures: Sequence[float]) -> Verdict:
        """By every single pair, never by the median alone."""
        if not figures:
            return Verdict.NOT_MEASURED
        reached = [each <= self.value if self.at_most else each >= self.value for each in figures]
        if all(reached):
            return Verdict.REACHED
        return Verdict.NOISY if any(reached) else Verdict.MISSED


def exit_status(verdicts: Iterable[Verdict]) -> int:
    """0 where every target is reached, 1 where one is missed, else 2: what is noisy or not measured is not decided."""
    return exit_status_of_all([_STATUS[each] for each in verdicts])


def exit_status_of_all(statuses: Sequence[int]) -> int:
    """Of several at once. A benchmark that broke (any other status) is a miss, and none at all decides nothing."""
    if not statuses:
        return 2
    return 1 if set(statuses) - {0, 2} else max(statuses)
