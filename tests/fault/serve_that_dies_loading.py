"""`ledger serve` that is killed in a batch of a bulk load: TEST_DIES_IN names its number, TEST_DIES_AT the step."""

import os
import signal
from collections.abc import Sequence
from typing import Any

from ledger.cli.main import main
from ledger.store import flush
from ledger.store.append import Append, Verdict
from ledger.store.committer import GroupCommitter

BATCH, STEP = "TEST_DIES_IN", "TEST_DIES_AT"
COPIED, COMMITTED = "rows copied", "committed"
_append_whole, _copy_in = GroupCommitter.append_whole, flush.copy_in
_batches = 0


def _die_at(step: str) -> None:
    if _batches == int(os.environ[BATCH]) and os.environ[STEP] == step:
        os.kill(os.getpid(), signal.SIGKILL)


async def _append_and_die(self: GroupCommitter, appends: Sequence[Append]) -> Sequence[Verdict]:
    global _batches  # one process, one load
    _batches += 1
    verdicts = await _append_whole(self, appends)
    _die_at(COMMITTED)
    return verdicts


async def _copy_and_die(*values: Any) -> None:
    await _copy_in(*values)
    _die_at(COPIED)


if __name__ == "__main__":
    GroupCommitter.append_whole = _append_and_die
    flush.copy_in = _copy_and_die
    main()
