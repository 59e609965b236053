"""Gets a package from the sender, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import grpc

from consumers.patience import Patience, ServiceUnavailable
from consumers.receiving_hospital.offer import Offer
from consumers.receiving_hospital.rejection import RejectCode, Rejection
from consumers.waiting_room import NotNow
from ledger.api.v1.transfers_pb2 import FetchPackageRequest
from ledger.api.v1.transfers_pb2_grpc import TransferServiceStub

if TYPE_CHECKING:
    from ledger.api.v1.transfers_pb2_grpc import TransferServiceAsyncStub


OpenChannel = Callable[[str], grpc.aio.Channel]
"""Opens a channel to an address; the composition root decides on its security."""

_NOT_HANDED_OVER = frozenset(
    {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.PERMISSION_DENIED}
)


async def fetch_package(offer: Offer, address: str, open_channel: OpenChannel, patience: Patience) -> bytes | Rejection:
    """The bytes as the sender serves them now; a rejection where it no longer hands them over.

    Never holds more than one chunk above the size offered. NotNow for every other answer of the sender, or none: its
    troubles are its own, and its offer waits until it ends while other senders' offers go on.
    """
    who = f"hospital {offer.sender} at {address}"
    async with open_channel(address) as channel:
        stub: TransferServiceAsyncStub = TransferServiceStub(channel)
        try:
            return await patience.call("FetchPackage", lambda seconds: _attempt(stub, offer, seconds))
        except grpc.aio.AioRpcError as error:
            if error.code() in _NOT_HANDED_OVER:
                return Rejection(RejectCode.OFFER_WITHDRAWN, error.code().name)
            # Also what is no passing fault by its code: nothing here can tell a sender's defect from its end.
            raise NotNow(who, error.code().name) from error
        except ServiceUnavailable as error:
            raise NotNow(who, error.status) from error


async def _attempt(stub: TransferServiceAsyncStub, offer: Offer, timeout_seconds: float) -> bytes:
    request = FetchPackageRequest(
        hospital=offer.sender,
        record_id=str(offer.record_id),
        transfer_id=str(offer.transfer_id),
        recipient=offer.recipient,
    )
    data = bytearray()
    call = stub.FetchPackage(request, timeout=timeout_seconds)
    async for response in call:
        data += response.chunk
        # More than was offered is wrong already; a sender that never ends must not fill the memory.
        if len(data) > offer.package_size:
            call.cancel()
            break
    return bytes(data)
