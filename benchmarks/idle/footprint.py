"""What a process and everything under it take: memory, open files, connections to PostgreSQL."""

from __future__ import annotations

import time
from pathlib import Path

import psycopg

from benchmarks.process_ticks import TICKS_PER_SECOND, tree_ticks

_CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


def tree_pids(root: int) -> list[int]:
    """The process and all that descend from it."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(") ")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    found, new = [root], [root]
    while new:
        new = [pid for pid, parent in parents.items() if parent in new]
        found.extend(new)
    return found


def resident_mib(pids: list[int]) -> float:
    """Memory that is theirs alone: what PostgreSQL's backends share is not counted once for each."""
    return sum(map(_private_kib, pids)) / 1024


def open_files(pids: list[int]) -> int:
    """File descriptors of all of them."""
    return sum(map(_files, pids))


def idle_cores(root: int, seconds: float) -> float:
    """Cores that the process and all under it use while nobody asks for anything."""
    before = tree_ticks(root)
    time.sleep(seconds)
    return (tree_ticks(root) - before) / TICKS_PER_SECOND / seconds


def connections(url: str) -> int:
    """Of clients, but for the one that asks."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(_CONNECTIONS).fetchone()
    return row[0] if row else 0


def _private_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean:", "Private_Dirty:")))


def _files(pid: int) -> int:
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return 0
