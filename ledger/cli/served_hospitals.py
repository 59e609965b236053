"""Which hospitals a service knows: all of them, page after page."""

from __future__ import annotations

import grpc.aio

from ledger.api.v1.stream_pb2 import Hospital, ListHospitalsRequest
from ledger.api.v1.stream_pb2_grpc import HospitalServiceStub

_PAGE = 1000


async def all_hospitals(channel: grpc.aio.Channel) -> list[Hospital]:
    """Every hospital of the registry, by id. Raises AioRpcError."""
    stub = HospitalServiceStub(channel)
    found: list[Hospital] = []
    request = ListHospitalsRequest(page_size=_PAGE)
    while True:
        answer = await stub.ListHospitals(request)
        found += answer.hospitals
        if not answer.next_page_token:
            return found
        request.page_token = answer.next_page_token
