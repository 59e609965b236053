"""How far a hospital's log is signed, as anybody may read it."""

from __future__ import annotations

import asyncio
import time

from ledger.cli.log_store import log_blobs
from ledger.config import Settings
from ledger.log.log_files import LogFiles
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint

_SIGNED_SECONDS_MAX = 60.0
_LOOK_SECONDS = 0.1


class NotSigned(Exception):
    """The log has not signed a position in time."""

    def __init__(self, hospital: str, position: int) -> None:
        super().__init__(f"the log of {hospital} did not sign position {position} within {_SIGNED_SECONDS_MAX:.0f} s")


async def signed_up_to(settings: Settings, hospital: str, position: int) -> Checkpoint:
    """The published checkpoint once it covers a position. Raises NotSigned after a minute."""
    files = LogFiles(log_blobs(settings), hospital)
    deadline = time.monotonic() + _SIGNED_SECONDS_MAX
    while time.monotonic() < deadline:
        note = await asyncio.to_thread(files.published)
        if note is not None and (found := parse_checkpoint(note.text)).size >= position:
            return found
        await asyncio.sleep(_LOOK_SECONDS)
    raise NotSigned(hospital, position)
