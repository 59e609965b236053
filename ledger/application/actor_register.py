"""The register of people who act: mutable, outside the events, so that a name can be erased when the law says so."""

from __future__ import annotations

import os
from uuid import UUID, uuid5

from ledger.api.v1.common_pb2 import Actor as ActorMessage
from ledger.api.v1.records_pb2 import RegisterActorRequest
from ledger.application.message_codec import nul_faults, parse_uuid
from ledger.domain.refusal import RefusalKind, Refused, Violation
from ledger.store.actors import Actor, ActorRegister

_IMPORTED = UUID("6d1c1f0e-2f0b-4a63-9d25-0c2c5f8e7a11")
"""Namespace of ids for imported people: the same source person gets the same id at the same hospital, no other does."""


async def register_actor(
    register: ActorRegister, hospital: str, request: RegisterActorRequest
) -> tuple[ActorMessage, bool]:
    """The person with its id, and whether the register changed. Raises Refused with every fault."""
    actor = _actor(hospital, request)
    known = await register.actor(hospital, actor.actor_id)
    changed = known != actor
    if changed:
        await register.upsert_actor(hospital, actor)
    message = ActorMessage()
    message.CopyFrom(request.actor)
    message.id = str(actor.actor_id)
    return message, changed


def _actor(hospital: str, request: RegisterActorRequest) -> Actor:
    faults: list[Violation] = []
    asked = request.actor
    if not asked.name:
        faults.append(Violation("actor.name", "REQUIRED", "a name is required"))
    faults += nul_faults(asked, "actor.") + nul_faults(request.source, "source.")
    actor_id = parse_uuid(asked.id, "actor.id", faults) if asked.id else _new_id(hospital, request)
    if faults or actor_id is None:
        raise Refused(RefusalKind.INVALID, tuple(faults))
    source = "/".join((request.source.system, request.source.type, request.source.id)).strip("/")
    return Actor(actor_id, asked.name, asked.role, asked.department, asked.licence, source)


def _new_id(hospital: str, request: RegisterActorRequest) -> UUID:
    source = request.source
    if not source.id:
        return UUID(bytes=os.urandom(16), version=4)
    return uuid5(_IMPORTED, "\n".join((hospital, source.system, source.type, source.id)))
