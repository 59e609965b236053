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
from ledger.trust.glance import whole

if TYPE_CHECKING:
    from ledger.api.v1.stream_pb2_grpc import StreamServiceAsyncStub


def in_events(server: Server, hospital: str) -> Measure:
    """As messages of one event each, in batches."""
    return partial(_measured, server, partial(_events, hospital))


def in_bundles(server: Server, hospital: str) -> Measure:
    """As raw bundles, each envelope held against its leaf hash."""
    return partial(_measured, server, partial(_bundles, hospital))


_Replay = Callable[["StreamServiceAsyncStub"], AsyncIterator[Sequence[bytes]]]


async def _measured(server: Server, replay: _Replay) -> Measured:
    events, began, cpu = 0, time.perf_counter(), time.process_time() + cpu_seconds(server.pid)
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        stub: StreamServiceAsyncStub = StreamServiceStub(channel)
        async for envelopes in replay(stub):
            for each in envelopes:
                whole(each)
            events += len(envelopes)
    spent = time.process_time() + cpu_seconds(server.pid) - cpu
    return Measured(events / (time.perf_counter() - began), spent * 1e6 / events, {"events": float(events)})


async def _events(hospital: str, stub: StreamServiceAsyncStub) -> AsyncIterator[Sequence[bytes]]:
    async for response in stub.ReadHospital(ReadHospitalRequest(hospital=hospital)):
        yield [event.envelope for event in response.events]


async def _bundles(hospital: str, stub: StreamServiceAsyncStub) -> AsyncIterator[Sequence[bytes]]:
    async for response in stub.ReadBundles(ReadBundlesRequest(hospital=hospital)):
        if response.HasField("bundle"):
            yield [row.envelope for row in rows_of(response.bundle)]
