"""CPU time of processes and of what descends from them, from /proc."""

from __future__ import annotations

import os
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_OWN_FIELDS = slice(11, 15)
"""utime, stime, and those of children that were waited for, after the name in /proc/PID/stat."""


def cpu_seconds(pid: int) -> float:
    """CPU that a process and everything under it have used so far, seconds."""
    return tree_ticks(pid) / TICKS_PER_SECOND


def tree_ticks(root: int) -> int:
    """The same in clock ticks; 0 for a process that is not there."""
    stats = _stats()
    return sum(ticks for pid, (_, ticks) in stats.items() if _descends(pid, root, stats))


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


def _descends(pid: int, root: int, stats: dict[int, tuple[int, int]]) -> bool:
    while pid in stats:
        if pid == root:
            return True
        pid = stats[pid][0]
    return False
