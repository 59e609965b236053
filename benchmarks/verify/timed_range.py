"""One range, in a process of its own."""

from __future__ import annotations

import time

from benchmarks.verify.synthetic import rows_of_range
from ledger.trust.range_walk import RangeFound, RangeWalk
from ledger.trust.verify import Fault


def timed_range(ends: tuple[int, int]) -> tuple[float, RangeFound]:
    """Seconds that the check took, the making of the rows left out, and what it found."""
    rows = rows_of_range(*ends)
    began = time.process_time()
    walk = RangeWalk(ends[0])
    held(walk.take_all(rows))
    return time.process_time() - began, walk.found()


def held(fault: Fault | None) -> None:
    """RuntimeError for a fault, which synthetic rows have not."""
    if fault is not None:
        raise RuntimeError(str(fault))
