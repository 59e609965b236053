"""Another server process that stops, as a frozen machine does, in the middle of an append of many events.

    python -m tests.integration.store.append_stopper URL HOSPITAL MOMENT     (pickled list of appends on standard input)
MOMENT is `checked` (the head is locked, the events are not sent yet) or `copying` (PostgreSQL waits for their rows).
"""

import asyncio
import os
import pickle
import signal
import sys
from typing import Any

from ledger.store import flush
from ledger.store.append import Append
from ledger.store.connections import Connection, writer_pool


def stop_here(*_: Any) -> None:
    """Stands still until the test ends this process."""
    os.kill(os.getpid(), signal.SIGSTOP)


async def stop_in_copy(connection: Connection, statement: bytes, _: bytes) -> None:
    """Begins the COPY; its rows never come."""
    connection.pgconn.exec_(statement)
    stop_here()


async def append_and_stop(url: str, hospital: str, moment: str, appends: list[Append]) -> None:
    if moment == "checked":
        flush.copy_rows = stop_here
    else:
        flush.copy_in = stop_in_copy
    pool = writer_pool(url)
    async with pool.borrow() as connection:
        await flush.flush(connection, hospital, appends)


if __name__ == "__main__":
    asyncio.run(append_and_stop(sys.argv[1], sys.argv[2], sys.argv[3], pickle.load(sys.stdin.buffer)))  # noqa: S301 - written by the test
