"""`ledger serve` that is killed at one step of an erasure, named by TEST_DIES_AT."""

import os
import signal
from typing import Any

from ledger.cli.main import main
from ledger.keys.purge_rows import PurgeRows

STEP = "TEST_DIES_AT"
STEPS = ("before the key goes", "after the key went", "before it is noted", "after it was noted")
_erase, _note = PurgeRows.erase, PurgeRows.note_erased


def _die_at(step: str) -> None:
    if os.environ[STEP] == step:
        os.kill(os.getpid(), signal.SIGKILL)


async def _erase_and_die(self: PurgeRows, *values: Any, **named: Any) -> bool:
    _die_at(STEPS[0])
    gone = await _erase(self, *values, **named)
    _die_at(STEPS[1])
    return gone


async def _note_and_die(self: PurgeRows, origin: str, after: int, position: int) -> bool:
    _die_at(STEPS[2])
    noted = await _note(self, origin, after, position)
    _die_at(STEPS[3])
    return noted


if __name__ == "__main__":
    PurgeRows.erase = _erase_and_die
    PurgeRows.note_erased = _note_and_die
    main()
