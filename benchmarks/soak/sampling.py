"""Memory and open files of every role of a service, taken again and again while it works."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.idle.footprint import open_files, resident_mib, tree_pids
from benchmarks.soak.trend import Sample

Pids = Callable[[], Mapping[str, int]]
"""The process id of each role as it is now."""


class RoleRestarted(Exception):
    """A role died and was started again: its memory begins anew, and nothing could be said of it."""


@dataclass
class Samples:
    """By role, since the first was taken."""

    memory_mib: dict[str, list[Sample]] = field(default_factory=dict[str, list[Sample]])
    files: dict[str, list[Sample]] = field(default_factory=dict[str, list[Sample]])


async def sampled(pids: Pids, every_seconds: float, done: asyncio.Event) -> Samples:
    """Until it is done. Raises RoleRestarted."""
    began, first, samples = time.monotonic(), dict(pids()), Samples()
    while not done.is_set():
        now = dict(pids())
        if now != first:
            raise RoleRestarted({role for role in first if now.get(role) != first[role]})
        at = time.monotonic() - began
        for role, pid in now.items():
            # A role's own descendants are its own; `up` is the parent of all the others, which stand for themselves.
            tree = [pid] if role == "up" else tree_pids(pid)
            memory, files = await asyncio.to_thread(_taken, tree)
            samples.memory_mib.setdefault(role, []).append((at, memory))
            samples.files.setdefault(role, []).append((at, files))
        try:
            await asyncio.wait_for(done.wait(), every_seconds)
        except TimeoutError:
            continue
    return samples


def _taken(pids: list[int]) -> tuple[float, float]:
    return resident_mib(pids), float(open_files(pids))
