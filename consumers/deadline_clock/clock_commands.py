"""The commands of the clock: each has an id that is the same whoever sends it, and however often."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid5

import grpc

from consumers.patience import Patience
from ledger.api.v1.common_pb2 import Actor, CommandContext

_COMMANDS = UUID("0e6a2c1d-7a44-5b7e-8a57-3a0e5d0f6b21")
_ROUNDS_MAX = 10
_REFUSED = (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND)

Send = Callable[[CommandContext, float], Awaitable[Any]]
"""Sends a command with this context within so many seconds; its response has a receipt."""


class ClockCommands:
    """Sends the commands of one hospital's clock under the clock's own name."""

    def __init__(self, hospital: str, actor: Actor, patience: Patience) -> None:
        self.hospital = hospital
        self.patience = patience
        self._actor = actor

    async def once(self, rpc: str, what: str, send: Send) -> bool:
        """Does it once; `what` names the deed in full. False where the record's state does not allow it any more.

        An answer that is only remembered may be of a deed that was undone since, so it is done anew under the next id:
        the ledger adds nothing where it still stands.
        """
        for turn in range(_ROUNDS_MAX):
            name = f"{self.hospital}/{rpc}/{what}" + (f"/{turn}" if turn else "")
            context = CommandContext(
                hospital=self.hospital, command_id=str(uuid5(_COMMANDS, name)), actor=self._actor, purpose="RECORDMGT"
            )
            try:
                response = await self.patience.call(rpc, lambda seconds, context=context: send(context, seconds))
            except grpc.aio.AioRpcError as error:
                if error.code() not in _REFUSED:
                    raise
                return False
            if not response.receipt.repeated:
                break
        return True
