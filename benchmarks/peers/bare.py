"""The baseline of every row: pgbench for appends and reads of a record, psycopg's C build for everything in order."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import psycopg
from psycopg import RawCursor

from benchmarks.append import pgbench, product
from benchmarks.pairs import Measured
from benchmarks.peers.job import EVENTS, READERS, RECORD_EVENTS, RECORDS, SECONDS
from ledger.embedded.postgres import EmbeddedPostgres
from ledger.views.statements import templates

_SQL = templates("benchmarks.peers", "baseline")


class PgbenchRates:
    """pgbench on one database."""

    def __init__(self, server: EmbeddedPostgres, url: str) -> None:
        """The URL of the database."""
        self._server = server
        self._url = url

    async def rate(self, script: Path, clients: int) -> Measured:
        """Transactions a second."""
        seconds = max(1, round(SECONDS))
        arguments = (self._server, self._url, script, clients, seconds)
        return Measured((await asyncio.to_thread(pgbench.rate, *arguments)).per_second)


class Bare:
    """Rows of the same width without a store around them."""

    def __init__(self, server: EmbeddedPostgres, folder: Path) -> None:
        """The folder is for pgbench's scripts."""
        self._url = server.superuser_url
        self._append, self._few = folder / "bare-append.pgbench", folder / "bare-few.pgbench"
        self._pgbench = PgbenchRates(server, self._url)

    async def fill(self) -> None:
        """Makes tables, rows and scripts."""
        await asyncio.to_thread(self._fill)

    def _fill(self) -> None:
        sample = product.new_event(b"\x01" * product.BODY_BYTES)
        pgbench.prepare(self._url, self._append, sample.envelope, sample.body, sample.leaf_hash)
        row = {"envelope": sample.envelope, "body": sample.body, "records": RECORDS, "each": RECORD_EVENTS}
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(_SQL["make"].encode())
            connection.execute(_SQL["fill"].encode(), row)
            connection.execute(_SQL["settle"].encode())
        self._few.write_text(_SQL["few"].format(records=RECORDS, each=RECORD_EVENTS) + "\n")

    async def append(self, in_flight: int) -> Measured:
        """Rows a second, one for each transaction."""
        return await self._pgbench.rate(self._append, in_flight)

    async def few(self) -> Measured:
        """Reads a second of 20 rows by 16 clients."""
        return await self._pgbench.rate(self._few, READERS)

    async def replay(self) -> Measured:
        """Rows a second into this process."""
        return await asyncio.to_thread(self._replay)

    def _replay(self) -> Measured:
        began, cpu, position, events = time.perf_counter(), time.process_time(), 0, 0
        with psycopg.connect(self._url, autocommit=True, cursor_factory=RawCursor, prepare_threshold=0) as connection:
            while rows := connection.cursor(binary=True).execute(_SQL["batch"].encode(), (position,)).fetchall():
                position, events = rows[-1][0], events + len(rows)
        if events != EVENTS:
            raise RuntimeError(f"a replay of {events} of {EVENTS} rows")
        return Measured(events / (time.perf_counter() - began), (time.process_time() - cpu) * 1e6 / events)
