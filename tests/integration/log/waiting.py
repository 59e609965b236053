"""Waits for what an integrator does with a log."""

from __future__ import annotations

from ledger.log.log_files import LogFiles
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from tests.eventually import eventually_async


def published(files: LogFiles) -> Checkpoint | None:
    """The published head; None for none."""
    note = files.published()
    return parse_checkpoint(note.text) if note else None


async def until_published(files: LogFiles, size: int) -> Checkpoint:
    """The published head, once it has this size."""

    async def reached() -> Checkpoint | None:
        found = published(files)
        return found if found and found.size == size else None

    found = await eventually_async(reached, what=f"checkpoint of {size}")
    assert found is not None
    return found


async def until_halted(files: LogFiles) -> str:
    """Why the log stands still, once it does."""

    async def halted() -> str:
        return files.halted()

    return await eventually_async(halted, what="the log halted")
