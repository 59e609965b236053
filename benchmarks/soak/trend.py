"""Whether a series of samples is flat, by its slope and not by a glance.

The slope is Theil and Sen's, the median of the slopes of all pairs: no peak and no dip bends it, and what has warmed
up by a third of the time is left out before it is taken.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

Sample = tuple[float, float]
"""Seconds since the begin, and the value."""


@dataclass(frozen=True)
class Trend:
    """A series as a line."""

    median: float
    slope_per_second: float


def trend(samples: Sequence[Sample]) -> Trend:
    """Of at least two samples at different times."""
    slopes = [
        (later - earlier) / (end - begin)
        for at, (begin, earlier) in enumerate(samples)
        for end, later in samples[at + 1 :]
        if end > begin
    ]
    return Trend(statistics.median(value for _, value in samples), statistics.median(slopes))
