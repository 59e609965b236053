"""A hospital's events replayed over gRPC into this process, every envelope decoded; CPU is that of both processes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import grpc.aio

from benchmarks.pairs import Measure, Measured
from benchmarks.process_ticks import cpu_seconds
from benchmarks.served import Server
from consumers.event_bundle import rows_of
from ledger.api.v1.stream_pb2 import ReadBundlesRequest, ReadHospitalRequest
from ledger.api.v1.stream_pb2_grpc import StreamServiceStub
from ledger.trust.glance import head_of, whole
from ledger.trust.usual_rows import usual_fields

if TYPE_CHECKING:
    from ledger.api.v1.stream_pb2_grpc import StreamServiceAsyncStub


def in_events(server: Server, hospital: str) -> Measure:
    """As messages of one event each, in batches."""
    return partial(_measured, server, partial(_events, hospital))


def in_bundles(server: Server, hospital: str) -> Measure:
    """As raw bundles, each envelope held against its leaf hash."""
    return partial(_measured, server, partial(_bundles, hospital))


async def _measured(
    server: Server, replay: Callable[[StreamServiceAsyncStub], AsyncIterator[Sequence[bytes]]]
) -> Measured:
    events, began, cpu = 0, time.perf_counter(), time.process_time() + cpu_seconds(server.pid)
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        stub: StreamServiceAsyncStub = StreamServiceStub(channel)
        async for envelopes in replay(stub):
            if envelopes:
                decoded(envelopes)
            events += len(envelopes)
    spent = time.process_time() + cpu_seconds(server.pid) - cpu
    return Measured(events / (time.perf_counter() - began), spent * 1e6 / events, {"events": float(events)})


def decoded(envelopes: Sequence[bytes]) -> int:
    """How many were read into fields: those of the usual form all at once, each other one by itself."""
    fields = usual_fields(head_of(envelopes[0]), envelopes)
    return len([each or whole(envelope) for each, envelope in zip(fields, envelopes, strict=True)])


async def _events(hospital: str, stub: StreamServiceAsyncStub) -> AsyncIterator[Sequence[bytes]]:
    async for response in stub.ReadHospital(ReadHospitalRequest(hospital=hospital)):
        yield [event.envelope for event in response.events]


async def _bundles(hospital: str, stub: StreamServiceAsyncStub) -> AsyncIterator[Sequence[bytes]]:
    async for response in stub.ReadBundles(ReadBundlesRequest(hospital=hospital)):
        if response.HasField("bundle"):
            yield [row.envelope for row in rows_of(response.bundle)]
