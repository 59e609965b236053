"""A publisher that stands still, as a frozen machine does, in the middle of its work; continued, it goes on there.

    python -m tests.fault.publisher_that_freezes MOMENT READY
MOMENT: `begun` (a transaction is open, nothing of it sent), `committing` (all of it sent), `committed` (not noted yet),
or `copying` (on the PostgreSQL log: the transfers are known, nothing is copied yet).
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from kafka import KafkaProducer

from ledger.publisher.ledger_log import LedgerLog, TransferCopy
from ledger.telemetry.logs import configure_logging
from tests.fault.publisher_process import publish_until_sigterm

TIME = 3
"""It stands still the third time that it comes to its moment."""
_times = count(1)


def stand_still() -> None:
    """Until somebody continues the process."""
    if next(_times) == TIME:
        os.kill(os.getpid(), signal.SIGSTOP)


def freeze_at(moment: str) -> None:
    """Puts the moment into the library's producer, or into the ledger's own log."""
    begin, commit, copy = KafkaProducer.begin_transaction, KafkaProducer.commit_transaction, LedgerLog.copy_transfers

    def begun(producer: KafkaProducer) -> None:
        begin(producer)
        stand_still()

    def committing(producer: KafkaProducer) -> None:
        stand_still()
        commit(producer)

    def committed(producer: KafkaProducer) -> None:
        commit(producer)
        stand_still()

    async def copying(log: LedgerLog, hospital: str, copies: Sequence[TransferCopy], upto: int) -> None:
        stand_still()
        await copy(log, hospital, copies, upto)

    puts: dict[str, Callable[[], None]] = {
        "begun": lambda: setattr(KafkaProducer, "begin_transaction", begun),
        "committing": lambda: setattr(KafkaProducer, "commit_transaction", committing),
        "committed": lambda: setattr(KafkaProducer, "commit_transaction", committed),
        "copying": lambda: setattr(LedgerLog, "copy_transfers", copying),
    }
    puts[moment]()


if __name__ == "__main__":
    configure_logging("INFO")
    freeze_at(sys.argv[1])
    asyncio.run(publish_until_sigterm(Path(sys.argv[2])))
