"""Driver: our store alone, by its group commit; no decision, no sealing, chain and leaf hashes made beforehand."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from hashlib import sha256
from uuid import UUID

from benchmarks.append import product
from benchmarks.peers.driver import Counted, Task, drive
from benchmarks.peers.job import EVENT_BYTES, RECORD_EVENTS, Probe, event_text, record_id
from ledger.store.append import Append, Appended, NewEvent, VersionConflict
from ledger.store.committer import GroupCommitter
from ledger.store.connections import WRITER_OPTIONS, ConnectionPool
from ledger.store.reading import EventReader
from ledger.trust.envelope import Envelope, encode
from ledger.trust.leaf import leaf_hash

HOSPITAL = "peers"
WRITTEN = "north"
"""Where appends go, so that a replay finds what was filled and nothing else."""
_ENVELOPE_BYTES = 216
_BODY = b"\x01" + event_text(EVENT_BYTES - _ENVELOPE_BYTES - 1).encode()
"""In the form of a sealed one: the store takes no other."""
_AT_ONCE = 64


class _Driver:
    def __init__(self, task: Task) -> None:
        self._url = task.url
        self._records = task.events // RECORD_EVENTS

    def fill(self) -> None:
        """A record in each command."""
        asyncio.run(self._fill())

    async def _fill(self) -> None:
        pool = ConnectionPool(self._url, options=WRITER_OPTIONS)
        committer, numbers = GroupCommitter(HOSPITAL, pool), iter(range(self._records))

        async def caller() -> None:
            for number in numbers:
                _must(await committer.append(_record(number)))

        try:
            await asyncio.gather(*(caller() for _ in range(_AT_ONCE)))
        finally:
            await pool.close()

    def append(self, clients: int, seconds: float) -> Counted:
        """As `benchmarks.append` measures it."""
        return asyncio.run(self._append(clients, seconds))

    async def _append(self, clients: int, seconds: float) -> Counted:
        pool = ConnectionPool(self._url, options=WRITER_OPTIONS)
        try:
            await product.rate(pool, clients, 0.1)  # connections
            rate = await product.rate(pool, clients, seconds)
        finally:
            await pool.close()
        count = round(rate.per_second * seconds)
        return Counted(count, seconds, rate.client_cpu_us * count / 1e6)

    def few(self, clients: int, seconds: float) -> Counted:
        """As `benchmarks.reading` measures it."""
        return asyncio.run(self._few(clients, seconds))

    async def _few(self, clients: int, seconds: float) -> Counted:
        pool, count = ConnectionPool(self._url, limit=clients), 0
        reader = EventReader(pool)

        async def client() -> None:
            nonlocal count
            while time.perf_counter() < end:
                found = await reader.read_stream(
                    HOSPITAL, record_id(secrets.randbelow(self._records)), 0, RECORD_EVENTS
                )
                if len(found) != RECORD_EVENTS:
                    raise RuntimeError(f"{len(found)} events of a record")
                count += 1

        try:
            await asyncio.gather(*(reader.head(HOSPITAL) for _ in range(clients)))
            began, cpu = time.perf_counter(), time.process_time()
            end = began + seconds
            await asyncio.gather(*(client() for _ in range(clients)))
            return Counted(count, time.perf_counter() - began, time.process_time() - cpu)
        finally:
            await pool.close()

    def replay(self) -> Counted:
        """Everything with its bodies, in pages as large as the store gives."""
        return asyncio.run(self._replay())

    async def _replay(self) -> Counted:
        pool, events, after = ConnectionPool(self._url), 0, 0
        reader = EventReader(pool)
        try:
            began, cpu = time.perf_counter(), time.process_time()
            while rows := await reader.read_positions(HOSPITAL, after):
                after, events = rows[-1].position, events + len(rows)
            return Counted(events, time.perf_counter() - began, time.process_time() - cpu)
        finally:
            await pool.close()

    def probe(self) -> Probe:
        """A second event at version 1 must meet a VersionConflict."""
        return asyncio.run(self._probe())

    async def _probe(self) -> Probe:
        pool = ConnectionPool(self._url, options=WRITER_OPTIONS)
        committer = GroupCommitter(WRITTEN, pool)
        first, again, other = product.commands(3)
        event = first.events[0]
        again = Append(again.command_id, again.content, "bench", event.stream_id, (event,), any_clock=True)
        try:
            before = _must(await committer.append(first))
            refused = isinstance(await committer.append(again), VersionConflict)
            return Probe(refused, _must(await committer.append(other)).first_position - before.last_position - 1)
        finally:
            await pool.close()


def _must(verdict: object) -> Appended:
    if not isinstance(verdict, Appended):
        raise TypeError(verdict)
    return verdict


def _record(number: int) -> Append:
    stream_id = record_id(number)
    events: list[NewEvent] = []
    for version in range(1, RECORD_EVENTS + 1):
        events.append(_event(stream_id, version, events[-1].leaf_hash if events else b""))
    command = UUID(bytes=os.urandom(16), version=4)
    content = sha256(command.bytes).digest()
    return Append(command, content, "bench", stream_id, tuple(events), result_version=RECORD_EVENTS, any_clock=True)


def _event(stream_id: UUID, version: int, leaf_before: bytes) -> NewEvent:
    now = time.time_ns() // 1000
    envelope = encode(
        Envelope(
            format=1,
            origin=f"ledger.bench/{HOSPITAL}/1",
            stream_id=stream_id.bytes,
            stream_version=version,
            type=product.TYPE,
            recorded_at=now,
            actor=stream_id.bytes,
            key_id=b"\x0a" * 16,
            body_sha256=sha256(_BODY).digest(),
            commitment=b"\x0c" * 32,
            prev_leaf=leaf_before,
        )
    )
    return NewEvent(stream_id, "record", version, product.TYPE, now, envelope, _BODY, leaf_hash(envelope))


if __name__ == "__main__":
    drive(_Driver)
