"""`ledger witness` that is killed after it has remembered a checkpoint and before it answers."""

import os
import signal

from ledger.cli.main import main
from ledger.trust.checkpoint import Checkpoint
from ledger.witness.witness_memory import WitnessMemory

_remember = WitnessMemory.remember


def _remember_and_die(self: WitnessMemory, checkpoint: Checkpoint) -> None:
    _remember(self, checkpoint)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    WitnessMemory.remember = _remember_and_die
    main()
