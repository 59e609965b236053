"""CPU that others took meanwhile: a pair that was disturbed is measured again."""

from __future__ import annotations

import os
import time
from pathlib import Path

from benchmarks.process_ticks import TICKS_PER_SECOND, tree_ticks


class ForeignCpu:
    """Cores that processes other than this one and its descendants used since it was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._busy = _busy_ticks()
        self._own = tree_ticks(os.getpid())

    def cores(self) -> float:
        """Mean cores; never below 0."""
        elapsed = time.monotonic() - self._began
        foreign = (_busy_ticks() - self._busy) - (tree_ticks(os.getpid()) - self._own)
        return max(0.0, foreign / TICKS_PER_SECOND / elapsed) if elapsed else 0.0


def _busy_ticks() -> int:
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _, _, irq, softirq = map(int, fields[:7])
    return user + nice + system + irq + softirq
