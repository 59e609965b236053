"""The product's side of each row."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from uuid import UUID

import grpc.aio

from benchmarks.ground import HOSPITAL
from benchmarks.pairs import Measured
from ledger.api.v1.stream_pb2 import ReadHospitalRequest
from ledger.api.v1.stream_pb2_grpc import StreamServiceStub
from ledger.application.ledger import Ledger
from ledger.cli.bodies import Bodies
from ledger.config import Settings
from ledger.store.connections import ConnectionPool
from ledger.store.reading import EventReader
from ledger.trust.envelope import decode

FEW = 20


async def cold(settings: Settings, bodies: Bodies, record_id: UUID, other: UUID) -> Measured:
    """Milliseconds for a record of which this process knows nothing but its key; its connections are open."""
    ledger = await Ledger.open(settings, bodies.sealer, bodies.opener)
    try:
        await ledger.record(HOSPITAL, other)
        return Measured(await _record_ms(ledger, record_id))
    finally:
        await ledger.close()


async def warm(ledger: Ledger, record_id: UUID, looks: int) -> Measured:
    """Milliseconds for a record that this process has loaded before: it asks for the events since. The median."""
    await ledger.record(HOSPITAL, record_id)
    spent = sorted([await _record_ms(ledger, record_id) for _ in range(looks)])
    return Measured(spent[len(spent) // 2])


async def _record_ms(ledger: Ledger, record_id: UUID) -> float:
    began = time.perf_counter()
    await ledger.record(HOSPITAL, record_id)
    return (time.perf_counter() - began) * 1000


async def few(url: str, records: Sequence[UUID], clients: int, seconds: float) -> Measured:
    """Reads a second of 20 events at the store, by so many callers."""
    pool = ConnectionPool(url, limit=clients)
    reader, turn = EventReader(pool), itertools.cycle(records)
    end = time.perf_counter() + seconds

    async def client() -> int:
        done = 0
        while time.perf_counter() < end:
            await reader.read_stream(HOSPITAL, next(turn), 0, FEW)
            done += 1
        return done

    try:
        return Measured(sum(await asyncio.gather(*(client() for _ in range(clients)))) / seconds)
    finally:
        await pool.close()


async def replay(address: str) -> Measured:
    """Events a second over gRPC into this process, which decodes every envelope."""
    began, events = time.perf_counter(), 0
    async with grpc.aio.insecure_channel(address) as channel:
        async for response in StreamServiceStub(channel).ReadHospital(ReadHospitalRequest(hospital=HOSPITAL)):
            for event in response.events:
                decode(event.envelope)
                events += 1
    return Measured(events / (time.perf_counter() - began))
