"""CPU that others took meanwhile: a pair that was disturbed is measured again."""

from __future__ import annotations

import os
import time
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_OWN_FIELDS = slice(11, 15)
"""utime, stime, and those of children that were waited for, after the name in /proc/PID/stat."""


class ForeignCpu:
    """Cores that processes other than this one and its descendants used since it was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._busy = _busy_ticks()
        self._own = _own_ticks()

    def cores(self) -> float:
        """Mean cores; never below 0."""
        elapsed = time.monotonic() - self._began
        foreign = (_busy_ticks() - self._busy) - (_own_ticks() - self._own)
        return max(0.0, foreign / _TICKS / elapsed) if elapsed else 0.0


def _busy_ticks() -> int:
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _, _, irq, softirq = map(int, fields[:7])
    return user + nice + system + irq + softirq


def _own_ticks() -> int:
    stats = _stats()
    return sum(ticks for pid, (_, ticks) in stats.items() if _descends(pid, stats))


def _stats() -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(") ")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            found[int(entry.name)] = (int(fields[1]), sum(map(int, fields[_OWN_FIELDS])))
    return found


def _descends(pid: int, stats: dict[int, tuple[int, int]]) -> bool:
    while pid in stats:
        if pid == os.getpid():
            return True
        pid = stats[pid][0]
    return False
