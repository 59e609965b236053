"""Opens bodies through a KeyService elsewhere, in bounded batches, with bounded patience."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import grpc

from ledger.api.v1.keys_pb2 import OpenedBody, SealedEvent, UnsealPurpose, UnsealRequest
from ledger.api.v1.keys_pb2_grpc import KeyServiceStub
from ledger.keys.errors import KeysUnavailable
from ledger.trust.sealing import Destroyed, Opened, Opening, SealFault, SealFaultKind

if TYPE_CHECKING:
    from ledger.api.v1.keys_pb2_grpc import KeyServiceAsyncStub

EVENTS_MAX = 500
BYTES_MAX = 768 * 1024
"""Of one call; above the largest event, below what a request may have."""
CALL_SECONDS_MAX = 10.0
ATTEMPTS_MAX = 3
_FIRST_PAUSE_SECONDS = 0.2
_PASSING = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.UNKNOWN,
    }
)


class RemoteOpener:
    """An Opener over a channel, with this program's token and purpose."""

    def __init__(self, channel: grpc.aio.Channel, token: str, purpose: UnsealPurpose.ValueType) -> None:
        self._stub: KeyServiceAsyncStub = KeyServiceStub(channel)
        self._metadata = (("authorization", f"Bearer {token}"),)
        self._purpose = purpose

    async def open(self, events: Sequence[tuple[bytes, bytes]]) -> list[Opening]:
        """As Opener says. Raises KeysUnavailable where the service does not answer, or refuses this program."""
        openings: list[Opening] = []
        for batch in _batches(events):
            openings += await self._open_batch(batch)
        return openings

    async def _open_batch(self, batch: Sequence[tuple[bytes, bytes]]) -> list[Opening]:
        sealed = [SealedEvent(envelope=envelope, body=body) for envelope, body in batch]
        bodies = await self._ask(UnsealRequest(purpose=self._purpose, events=sealed))
        if len(bodies) != len(batch):
            raise KeysUnavailable("the key service answered for other events than were asked for")
        return [_opening(each) for each in bodies]

    async def _ask(self, request: UnsealRequest) -> Sequence[OpenedBody]:
        pause = _FIRST_PAUSE_SECONDS
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                answer = await self._stub.Unseal(request, timeout=CALL_SECONDS_MAX, metadata=self._metadata)
            except grpc.aio.AioRpcError as error:
                if attempt == ATTEMPTS_MAX or error.code() not in _PASSING:
                    raise KeysUnavailable(f"the key service answers {error.code().name}") from error
            else:
                return answer.bodies
            await asyncio.sleep(pause)
            pause *= 2
        raise AssertionError("every attempt returns or raises")


def _batches(events: Sequence[tuple[bytes, bytes]]) -> Iterator[Sequence[tuple[bytes, bytes]]]:
    first = size = 0
    for place, (envelope, body) in enumerate(events):
        more = len(envelope) + len(body)
        if place > first and (size + more > BYTES_MAX or place - first == EVENTS_MAX):
            yield events[first:place]
            first, size = place, 0
        size += more
    if events:
        yield events[first:]


def _opening(body: OpenedBody) -> Opening:
    match body.WhichOneof("outcome"):
        case "plaintext":
            return Opened(body.plaintext)
        case "destroyed":
            return Destroyed()
        case _:
            return SealFault(_kind(body.fault.kind))


def _kind(name: str) -> SealFaultKind:
    """A kind that a later service names is a fault all the same."""
    return SealFaultKind.__members__.get(name, SealFaultKind.UNKNOWN)
