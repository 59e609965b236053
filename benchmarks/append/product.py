"""The product: the group commit of the store, every command with its own id and record."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from ledger.store.append import Append, Appended, NewEvent
from ledger.store.committer import GroupCommitter
from ledger.store.connections import ConnectionPool
from ledger.trust.envelope import Envelope, encode
from ledger.trust.leaf import leaf_hash

BODY_BYTES = 382
"""An entry of 382 bytes, as measured for a structured note in protobuf."""
TYPE = "ledger.v1.EntryRecorded"
COMMANDS_PER_SECOND_MAX = 45_000


@dataclass(frozen=True)
class Rate:
    """What one run came to."""

    per_second: float
    client_cpu_us: float
    """CPU of this process per command, microseconds."""
    group_size: float


def new_event(body: bytes) -> NewEvent:
    """The first event of a record of its own."""
    stream_id = UUID(bytes=os.urandom(16), version=4)
    now = time.time_ns() // 1000
    envelope = encode(
        Envelope(
            format=1,
            origin="ledger.bench/north/1",
            stream_id=stream_id.bytes,
            stream_version=1,
            type=TYPE,
            recorded_at=now,
            actor=os.urandom(16),
            key_id=b"\x0a" * 16,
            body_sha256=sha256(body).digest(),
            commitment=b"\x0c" * 32,
            prev_leaf=b"",
        )
    )
    return NewEvent(stream_id, "record", 1, TYPE, now, envelope, body, leaf_hash(envelope))


def commands(count: int) -> list[Append]:
    """Commands made beforehand: the store is measured, not the sealing."""
    body = b"\x01" + os.urandom(BODY_BYTES - 1)  # the sealed form
    made: list[Append] = []
    for _ in range(count):
        event = new_event(body)
        command_id = UUID(bytes=os.urandom(16), version=4)
        content = sha256(command_id.bytes).digest()
        # Made some seconds before they are sent, so the comparison with the database's clock is left out.
        made.append(Append(command_id, content, "bench", event.stream_id, (event,), result_version=1, any_clock=True))
    return made


async def rate(pool: ConnectionPool, in_flight: int, seconds: float) -> Rate:
    """Durable commands per second with this many callers, each waiting for its verdict."""
    committer = GroupCommitter("north", pool)
    waiting = iter(commands(int(COMMANDS_PER_SECOND_MAX * seconds)))
    done = 0
    began, cpu = time.perf_counter(), time.process_time()
    end = began + seconds

    async def caller() -> None:
        nonlocal done
        for command in waiting:
            if time.perf_counter() > end:
                return
            verdict = await committer.append(command)
            if not isinstance(verdict, Appended):
                raise TypeError(verdict)
            done += 1

    await asyncio.gather(*(caller() for _ in range(in_flight)))
    elapsed = time.perf_counter() - began
    return Rate(done / elapsed, (time.process_time() - cpu) * 1e6 / done, committer.group_size)
