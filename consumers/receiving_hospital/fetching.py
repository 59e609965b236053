"""Gets a package from the sender, whole or not at all, and in bounded time as long as it comes on."""

from __future__ import annotations

import asyncio
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

SILENT_SECONDS_MAX = 5.0
"""Without a byte, then an attempt is given up."""
HAND_OVER_SECONDS_MAX = 30.0
"""For all attempts together, and so many more as the offered bytes take at the least rate."""
BYTES_A_SECOND_MIN = 256 * 1024

_NOT_HANDED_OVER = frozenset(
    {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.PERMISSION_DENIED}
)


async def fetch_package(offer: Offer, address: str, open_channel: OpenChannel, patience: Patience) -> bytes | Rejection:
    """The bytes as the sender serves them now; a rejection where it no longer hands them over.

    Never holds more than one chunk above the size offered, nor takes longer than `seconds_allowed`. NotNow for every
    other answer of the sender, or none: its troubles are its own, and its offer waits while others' go on.
    """
    who = f"hospital {offer.sender} at {address}"
    async with open_channel(address) as channel:
        stub: TransferServiceAsyncStub = TransferServiceStub(channel)
        try:
            async with asyncio.timeout(seconds_allowed(offer)):
                return await patience.call("FetchPackage", lambda seconds: _attempt(stub, offer, seconds))
        except TimeoutError as error:
            raise NotNow(who, "TOO_SLOW") from error
        except grpc.aio.AioRpcError as error:
            if error.code() in _NOT_HANDED_OVER:
                return Rejection(RejectCode.OFFER_WITHDRAWN, error.code().name)
            # Also what is no passing fault by its code: nothing here can tell a sender's defect from its end.
            raise NotNow(who, error.code().name) from error
        except ServiceUnavailable as error:
            raise NotNow(who, error.status) from error


def seconds_allowed(offer: Offer) -> float:
    """How long a hand-over may take, with all its attempts."""
    return HAND_OVER_SECONDS_MAX + offer.package_size / BYTES_A_SECOND_MIN


async def _attempt(stub: TransferServiceAsyncStub, offer: Offer, silent_seconds_max: float) -> bytes:
    """TimeoutError where nothing comes for so long: what bounds the whole is `seconds_allowed`."""
    request = FetchPackageRequest(
        hospital=offer.sender,
        record_id=str(offer.record_id),
        transfer_id=str(offer.transfer_id),
        recipient=offer.recipient,
    )
    data = bytearray()
    call = stub.FetchPackage(request)
    chunks = aiter(call)
    try:
        while response := await asyncio.wait_for(anext(chunks, None), silent_seconds_max):
            data += response.chunk
            # More than was offered is wrong already; a sender that never ends must not fill the memory.
            if len(data) > offer.package_size:
                break
    finally:
        call.cancel()
    return bytes(data)
