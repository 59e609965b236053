"""Ends a task of ours for good."""

from __future__ import annotations

import asyncio
from typing import Any

_AGAIN_SECONDS = 0.2


async def end(task: asyncio.Task[Any]) -> None:
    """Cancels the task until it is over; what it raised before that is raised here.

    Once is not enough: on Python 3.11 a cancellation is lost where it meets a wait that has just been answered.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_AGAIN_SECONDS)
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error
