"""Ranges walked side by side by several processes, and handed on in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Range = TypeVar("Range")
Found = TypeVar("Found")

RANGE_EVENTS = 20_000
"""Events of one range: enough that a process is worth its handing over, little enough to be held."""


def side_by_side(
    walk: Callable[[Range], Found], ranges: Iterable[Range], processes: int
) -> Generator[Future[Found], None, None]:
    """What the ranges hold, in their order; at most two for each process are on their way or wait to be taken.

    `walk` and its ranges are handed to other processes, where there is more than one.
    """
    with _executor(processes) as executor:
        waiting: deque[Future[Found]] = deque()
        try:
            for each in ranges:
                waiting.append(executor.submit(walk, each))
                if len(waiting) >= 2 * processes:
                    yield waiting.popleft()
            while waiting:
                yield waiting.popleft()
        finally:
            for each in waiting:
                each.cancel()


def _executor(processes: int) -> Executor:
    # A forked process would share this one's connections: each begins anew.
    return ProcessPoolExecutor(processes, get_context("spawn")) if processes > 1 else ThreadPoolExecutor(1)
