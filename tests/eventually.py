"""The one bounded wait of the tests, for what the product has no wait of its own.

A test whose wait lapsed is run once more and named at the end of the run (pyproject.toml, `--only-rerun`).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
_POLL_SECONDS = 0.02
SECONDS_MAX = 45.0
"""What bounds a hang and is no promise; also where a wait of the product is given a limit by a test."""


def eventually(probe: Callable[[], T], *, seconds_max: float = SECONDS_MAX, what: str = "") -> T:
    """The first truthy answer of the probe; TimeoutError names what was waited for and the last answer."""
    deadline = time.monotonic() + seconds_max
    while not (answer := probe()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds_max} s: {what or probe}; last answer {answer!r}")
        time.sleep(_POLL_SECONDS)
    return answer


async def eventually_async(probe: Callable[[], Awaitable[T]], *, seconds_max: float = SECONDS_MAX, what: str = "") -> T:
    """The same for a probe that has to be awaited; the loop goes on between two attempts."""
    deadline = time.monotonic() + seconds_max
    while not (answer := await probe()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds_max} s: {what or probe}; last answer {answer!r}")
        await asyncio.sleep(_POLL_SECONDS)
    return answer
