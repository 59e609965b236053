"""Registers the people who act; the register is a mutable table beside the ledger."""

from __future__ import annotations

from ledger.api.v1.records_pb2 import RegisterActorRequest, RegisterActorResponse
from ledger.application.ledger import Ledger


class ActorRegister:
    """Handlers of PatientService that are not commands."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def register_actor(self, request: RegisterActorRequest) -> RegisterActorResponse:
        """Registers an actor, or finds the one that the same source registered before."""
        actor, changed = await self._ledger.register_actor(request.hospital, request)
        return RegisterActorResponse(actor=actor, changed=changed)
