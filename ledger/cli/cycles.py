"""How seldom a process that serves looks for cycles of objects, and at how many of them.

Nearly all that a command makes goes as soon as nobody names it any more. What stays are the streams that are
remembered, which hold no cycles; a full pass of the collector looks at every one of them while all callers wait
(0.65 s with 128 records of some 370 entries, one run). So what a pass of the middle generation left alone is set aside
from the next ones, and only one full pass in sixteen looks at everything.
"""

from __future__ import annotations

import gc
from typing import Literal

COLLECTED_AFTER = (10_000, 4, 50)
"""Objects made, and rounds, after which Python looks for cycles. At its default of 700 it looks once or twice in every
command, finds nothing, and takes a tenth of its CPU (docs/performance.md)."""
EVERYTHING_AT = 16
"""Of so many full passes one looks at what was set aside, too: a cycle that grew old is found late, not never."""
_OLDEST = 2


class FullPasses:
    """Told by the collector when a pass begins and ends (`gc.callbacks`)."""

    def __init__(self) -> None:
        self._full = 0

    def __call__(self, phase: Literal["start", "stop"], info: dict[str, int]) -> None:
        """At the beginning of a full pass, and at its end."""
        generation = info["generation"]
        if phase == "stop" and generation > 0:
            gc.freeze()
            self._full += generation == _OLDEST
        elif phase == "start" and generation == _OLDEST and self._full % EVERYTHING_AT == EVERYTHING_AT - 1:
            gc.unfreeze()


def look_seldom() -> None:
    """For the life of this process."""
    gc.set_threshold(*COLLECTED_AFTER)
    gc.callbacks.append(FullPasses())
