"""The handler of KeyService."""

from __future__ import annotations

from ledger.api.v1.keys_pb2 import (
    UNSEAL_PURPOSE_UNSPECIFIED,
    BodyDestroyed,
    BodyFault,
    OpenedBody,
    UnsealPurpose,
    UnsealRequest,
    UnsealResponse,
)
from ledger.keys.unsealing import Unsealing
from ledger.server.arguments import invalid
from ledger.server.caller import current_authorization
from ledger.trust.sealing import Destroyed, Opened, Opening, SealFault

RPC = "ledger.api.v1.KeyService/Unseal"
EVENTS_MAX = 1000


class KeyService:
    """Opens bodies for callers that are known."""

    def __init__(self, unsealing: Unsealing) -> None:
        self._unsealing = unsealing

    async def unseal(self, request: UnsealRequest) -> UnsealResponse:
        """One outcome per event, in order."""
        if request.purpose == UNSEAL_PURPOSE_UNSPECIFIED or request.purpose not in UnsealPurpose.values():
            raise invalid("purpose", "REQUIRED", "a purpose that this release knows is required")
        if len(request.events) > EVENTS_MAX:
            raise invalid("events", "TOO_MANY", f"at most {EVENTS_MAX} events a call")
        events = [(each.envelope, each.body) for each in request.events]
        openings = await self._unsealing.unseal(current_authorization.get(), request.purpose, events)
        return UnsealResponse(bodies=map(_message, openings))


def _message(opening: Opening) -> OpenedBody:
    match opening:
        case Opened(plaintext=plaintext):
            return OpenedBody(plaintext=plaintext)
        case Destroyed():
            return OpenedBody(destroyed=BodyDestroyed())
        case SealFault(kind=kind):
            return OpenedBody(fault=BodyFault(kind=kind.name))
