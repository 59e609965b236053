"""The same rows in PostgreSQL: what reading them costs alone, and the check of the stored ledger with its reading."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from benchmarks.ground import HOSPITAL
from benchmarks.served import bench_folder
from ledger.embedded.postgres import EmbeddedPostgres
from ledger.store.append import EVENTS_MAX, Append, Appended, NewEvent
from ledger.store.committer import GroupCommitter
from ledger.store.connections import WRITER_OPTIONS, ConnectionPool
from ledger.store.hospitals import add_hospital
from ledger.store.migrate import migrate
from ledger.store.stored_range import RangeOfRows, read_stored_range
from ledger.store.whole_ledger import verify_stored
from ledger.trust.verify import Row, Summary

_KIND = "record"


class NotFilled(Exception):
    """The store did not take the rows."""


@dataclass(frozen=True)
class StoredTurn:
    """One measurement, events a second of wall time: PostgreSQL's own CPU is no part of this process's."""

    read_alone: float
    verified_one_process: float
    verified_all_processes: float


def stored_turns(rows: list[Row], turns: int, processes: int) -> list[StoredTurn]:
    """On a server of its own, filled first."""
    with bench_folder() as folder, EmbeddedPostgres(folder / "postgres") as postgres:
        asyncio.run(_filled(postgres.superuser_url, rows))
        return [_turn(postgres.superuser_url, len(rows), processes) for _ in range(turns)]


def _turn(url: str, events: int, processes: int) -> StoredTurn:
    began = time.perf_counter()
    read = sum(1 for page in read_stored_range(RangeOfRows(url, HOSPITAL, None, 0, None)) for _ in page)
    alone = time.perf_counter() - began
    if read != events:
        raise RuntimeError("not every event was read")
    return StoredTurn(events / alone, _verified(url, events, 1), _verified(url, events, processes))


def _verified(url: str, events: int, processes: int) -> float:
    began = time.perf_counter()
    found = asyncio.run(verify_stored(url, HOSPITAL, processes=processes))
    if not isinstance(found, Summary) or found.events != events:
        raise RuntimeError("not every event was verified")
    return events / (time.perf_counter() - began)


async def _filled(url: str, rows: list[Row]) -> None:
    await migrate(url)
    await add_hospital(url, HOSPITAL, origin_prefix="ledger.example")
    pool = ConnectionPool(url, options=WRITER_OPTIONS)
    try:
        committer = GroupCommitter(HOSPITAL, pool)
        for begin in range(0, len(rows), EVENTS_MAX):
            verdict = await committer.append(_command(rows[begin : begin + EVENTS_MAX]))
            if not isinstance(verdict, Appended):
                raise NotFilled(verdict)
    finally:
        await pool.close()


def _command(rows: list[Row]) -> Append:
    content = sha256(b"rows from %d" % rows[0].position).digest()
    events = tuple(_event(row) for row in rows)
    first = events[0].stream_id
    return Append(UUID(bytes=content[:16]), content, "ledger.bench.Copied", first, events, any_clock=True)


def _event(row: Row) -> NewEvent:
    if row.copies is None:
        raise RuntimeError("rows of a table have columns beside the envelope")
    said = row.copies
    stream_id = UUID(bytes=said.stream_id)
    return NewEvent(stream_id, _KIND, said.version, said.type, said.recorded_at, row.envelope, row.body, said.leaf_hash)
