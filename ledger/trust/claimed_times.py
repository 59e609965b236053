"""Whether the times that events claim go on with their positions, across a whole ledger.

An event is appended within a bound of the database's clock, so across streams a time may lie before an earlier
position's by twice the bound, and by no more while that clock goes on. A larger step back says that the clock was put
back, or that somebody wrote times of their own: no proof shows which, so it is told and is no fault of stored bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from operator import sub

LAG_US_MAX = 10_000_000
"""Twice 5 s, how far `recorded_at` may lie off the database's clock at the append."""


@dataclass(frozen=True, slots=True)
class ClaimedTimes:
    """Of events in a row, in microseconds since 1970: enough to join what ranges say. All 0 without events."""

    earliest: int = 0
    earliest_position: int = 0
    latest: int = 0
    back_us: int = 0
    """By how much a time lies before that of an earlier position, at most; 0 where no step is above LAG_US_MAX."""
    back_position: int = 0
    """The position of that event."""

    def followed_by(self, later: ClaimedTimes) -> ClaimedTimes:
        """Both ranges as one."""
        if not later.latest:
            return self
        if not self.latest:
            return later
        between = self.latest - later.earliest
        steps = [
            (self.back_us, self.back_position),
            (later.back_us, later.back_position),
            (between if between > LAG_US_MAX else 0, later.earliest_position if between > LAG_US_MAX else 0),
        ]
        first = self if self.earliest <= later.earliest else later
        largest = max(steps, key=lambda step: step[0])
        return ClaimedTimes(first.earliest, first.earliest_position, max(self.latest, later.latest), *largest)


NOTHING_CLAIMED = ClaimedTimes()


def claimed(first_position: int, times: Sequence[int]) -> ClaimedTimes:
    """What events say that stand from this position on without a gap."""
    if not times:
        return NOTHING_CLAIMED
    earliest, latest = min(times), max(times)
    whole = ClaimedTimes(earliest, first_position + times.index(earliest), latest)
    if latest - earliest <= LAG_US_MAX:
        return whole
    # Of a quiet ledger a page of events spans hours: still one pass, in C but for the last step.
    back = list(map(sub, accumulate(times, max), times))
    largest = max(back)
    return (
        replace(whole, back_us=largest, back_position=first_position + back.index(largest))
        if largest > LAG_US_MAX
        else whole
    )
