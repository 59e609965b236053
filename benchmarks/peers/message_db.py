"""message-db: its functions are its interface, so pgbench calls them, and no client in Python slows it down.

Installed as its `install.sh` does, but for the extension pgcrypto: what is used of it is PostgreSQL's own since 13.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import psycopg
from psycopg import RawCursor
from psycopg.conninfo import make_conninfo
from psycopg.types.json import Jsonb

from benchmarks.pairs import Measured
from benchmarks.peers.bare import PgbenchRates
from benchmarks.peers.job import EVENT_BYTES, EVENTS, READERS, RECORD_EVENTS, RECORDS, Probe, event_text
from ledger.embedded.postgres import EmbeddedPostgres
from ledger.views.statements import templates

DATABASE = "message_store"
_SQL = templates("benchmarks.peers", "message_db")
_FRAME_BYTES = len(json.dumps({"text": ""}))
_DATA = {"text": event_text(EVENT_BYTES - _FRAME_BYTES)}
_FUNCTIONS = (
    "hash-64", "acquire-lock", "category", "is-category", "id", "cardinal-id", "stream-version", "write-message",
    "get-stream-messages", "get-category-messages", "get-last-stream-message",
)  # fmt: skip
_FILES = (
    "roles/message-store", "schema/message-store", "tables/messages", "types/message",
    *(f"functions/{each}" for each in _FUNCTIONS),
    "indexes/messages-id", "indexes/messages-stream", "indexes/messages-category",
)  # fmt: skip
_RECORDS_AT_ONCE = 500


class MessageDb:
    """One message store; its writers share a category, or each has one of its own."""

    def __init__(self, server: EmbeddedPostgres, sources: Path, folder: Path, *, one_category: bool) -> None:
        """Sources: the package's folder `database`. The folder is for pgbench's scripts."""
        self.name = f"message-db ({'one category' if one_category else 'a category per client'}; pgbench)"
        self._one_category = one_category
        self._sources = sources
        self._url = make_conninfo(server.url(DATABASE), options="-c search_path=message_store,public")
        self._append = folder / f"message-db-append-{one_category}.pgbench"
        self._few = folder / "message-db-few.pgbench"
        self._pgbench = PgbenchRates(server, self._url)

    async def fill(self) -> None:
        """See System. Where both ways of writing are measured, the second finds what the first has made."""
        await asyncio.to_thread(self._fill)

    def _fill(self) -> None:
        category = "'one'" if self._one_category else "'own' || (:client_id)::text"
        self._append.write_text(_SQL["append"].format(category=category, data=json.dumps(_DATA)) + "\n")
        self._few.write_text(_SQL["few"].format(records=RECORDS, each=RECORD_EVENTS) + "\n")
        with psycopg.connect(self._url, autocommit=True) as connection:
            if connection.execute("SELECT to_regclass('message_store.messages') IS NOT NULL").fetchone() == (True,):
                return
            for file in _FILES:
                connection.execute((self._sources / f"{file}.sql").read_bytes())
            for first in range(0, RECORDS, _RECORDS_AT_ONCE):
                last = min(first + _RECORDS_AT_ONCE, RECORDS) - 1
                row = {"data": Jsonb(_DATA), "first": first, "last": last, "each": RECORD_EVENTS}
                connection.execute(_SQL["fill"].encode(), row)
            connection.execute(_SQL["settle"].encode())

    async def append(self, in_flight: int) -> Measured:
        """See System."""
        return await self._pgbench.rate(self._append, in_flight)

    async def few(self) -> Measured:
        """See System."""
        return await self._pgbench.rate(self._few, READERS)

    async def replay(self) -> Measured:
        """See System. One category, a thousand messages at a time, as its documentation says."""
        return await asyncio.to_thread(self._replay)

    def _replay(self) -> Measured:
        began, cpu, position, events = time.perf_counter(), time.process_time(), 0, 0
        with psycopg.connect(self._url, autocommit=True, cursor_factory=RawCursor, prepare_threshold=0) as connection:
            while rows := connection.execute(_SQL["batch"].encode(), (position,)).fetchall():
                position, events = rows[-1][4] + 1, events + len(rows)
        if events != EVENTS:
            raise RuntimeError(f"a replay of {events} of {EVENTS} messages")
        return Measured(events / (time.perf_counter() - began), (time.process_time() - cpu) * 1e6 / events)

    async def probe(self) -> Probe:
        """See System."""
        return await asyncio.to_thread(self._probe)

    def _probe(self) -> Probe:
        stream = f"probe-{time.time_ns()}"
        with psycopg.connect(self._url, autocommit=True, cursor_factory=RawCursor) as connection:
            connection.execute(_SQL["write"].encode(), (stream, -1))
            before = _position(connection)
            try:
                connection.execute(_SQL["write"].encode(), (stream, -1))
                refused = False
            except psycopg.errors.RaiseException:
                refused = True
            connection.execute(_SQL["write"].encode(), (stream, 0))
            return Probe(refused, _position(connection) - before - 1)


def _position(connection: psycopg.Connection[tuple[int]]) -> int:
    row = connection.execute(_SQL["position"].encode()).fetchone()
    return row[0] if row else 0
