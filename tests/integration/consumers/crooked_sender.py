"""A sender's server that hands over something else than it offered: it fetches from the real one and changes it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import grpc.aio
from typing_extensions import override

from ledger.api.v1.stream_pb2 import AddHospitalRequest
from ledger.api.v1.stream_pb2_grpc import HospitalServiceStub
from ledger.api.v1.transfers_pb2 import FetchPackageRequest, FetchPackageResponse
from ledger.api.v1.transfers_pb2_grpc import (
    TransferServiceServicer,
    TransferServiceStub,
    add_TransferServiceServicer_to_server,
)
from tests.integration.consumers.hospitals import Hospitals

Change = Callable[[bytes], Sequence[bytes]]
"""From the honest bytes to the chunks that are sent."""


class CrookedSender(TransferServiceServicer):
    """Serves packages of hospital `east`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._honest = TransferServiceStub(channel)
        self.change: Change = lambda data: [data]
        self.refusals: list[grpc.StatusCode] = []
        """Status codes with which the next calls are answered."""
        self.calls = 0

    @override
    async def FetchPackage(  # pyright: ignore[reportIncompatibleMethodOverride]  # asynchronous, as grpc.aio takes it
        self, request: FetchPackageRequest, context: grpc.aio.ServicerContext[FetchPackageRequest, FetchPackageResponse]
    ) -> AsyncIterator[FetchPackageResponse]:
        """The package, changed."""
        self.calls += 1
        if self.refusals:
            await context.abort(self.refusals.pop(0))
        data = b"".join([response.chunk async for response in self._honest.FetchPackage(request)])
        for chunk in self.change(data):
            yield FetchPackageResponse(chunk=chunk)


@asynccontextmanager
async def crooked_sender(hospitals: Hospitals) -> AsyncGenerator[CrookedSender]:
    """Makes `east` the sender of these hospitals, with its packages served by a CrookedSender."""
    server = grpc.aio.server()
    sender = CrookedSender(hospitals.channel)  # pyright: ignore[reportAbstractUsage]  # one call is all it serves
    add_TransferServiceServicer_to_server(sender, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        request = AddHospitalRequest(hospital_id="east", address=f"127.0.0.1:{port}")
        await HospitalServiceStub(hospitals.channel).AddHospital(request)
        hospitals.sender = "east"
        yield sender
    finally:
        await server.stop(None)
