"""The actor under whose id a consumer writes: registered once, found again by its source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.patience import Patience
from ledger.api.v1.common_pb2 import Actor, SourceItem
from ledger.api.v1.records_pb2 import RegisterActorRequest

if TYPE_CHECKING:
    from ledger.api.v1.records_pb2_grpc import PatientServiceAsyncStub


SOURCE_SYSTEM = "urn:ledger:consumers"


async def program_actor(stub: PatientServiceAsyncStub, hospital: str, program: str, patience: Patience) -> Actor:
    """The actor of a program at a hospital: the same at every start, so that a repeated command is the same."""
    request = RegisterActorRequest(
        hospital=hospital,
        actor=Actor(name=program, role="system"),
        source=SourceItem(system=SOURCE_SYSTEM, type="program", id=program),
    )
    response = await patience.call("RegisterActor", lambda seconds: stub.RegisterActor(request, timeout=seconds))
    return response.actor
