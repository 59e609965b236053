"""Another server process that holds the head row and appends before it lets go.

    python -m tests.integration.store.head_holder URL HOSPITAL     (pickled list of appends on standard input)
It prints `locked` once it holds the row, waits for a line, appends all in the same transaction, commits, prints `done`.
"""

import asyncio
import pickle
import sys

from ledger.store.append import Append
from ledger.store.connections import Connection, writer_pool
from ledger.store.parameters import parameters_of_group
from ledger.store.round_trip import call
from ledger.store.statements import schema_of, statements
from ledger.store.verdicts import verdicts_of_group


async def hold(url: str, hospital: str, appends: list[Append]) -> None:
    pool = writer_pool(url)
    async with pool.borrow() as connection, connection.transaction():
        await connection.execute(f'SELECT * FROM "{schema_of(hospital)}".head FOR UPDATE'.encode())  # noqa: S608
        print("locked", flush=True)
        await asyncio.to_thread(sys.stdin.buffer.readline)
        await _append(connection, hospital, appends)
    print("done", flush=True)
    await pool.close()


async def _append(connection: Connection, hospital: str, appends: list[Append]) -> None:
    statement = statements("append", hospital)["append_group"]
    for append in appends:
        result = await call(connection, statement, parameters_of_group([append], with_events=True))
        print(type(verdicts_of_group([append], result)[0][0]).__name__, flush=True)


if __name__ == "__main__":
    asyncio.run(hold(sys.argv[1], sys.argv[2], pickle.load(sys.stdin.buffer)))  # noqa: S301 - written by the test
