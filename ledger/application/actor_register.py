"""The register of people who act: mutable, outside the events, so that a name can be erased when the law says so.

An actor's id stands in the clear in every envelope for ever. So it is random, never made from what it stands for: an
imported person is found again by an HMAC of its source, which lies in the register and goes with it.
"""

from __future__ import annotations

import os
from dataclasses import fields
from uuid import UUID

from ledger.api.v1.common_pb2 import Actor as ActorMessage
from ledger.api.v1.common_pb2 import SourceItem
from ledger.api.v1.records_pb2 import RegisterActorRequest
from ledger.application.message_codec import Faults, nul_faults, parse_uuid
from ledger.application.reservation_keys import ReservationKeys
from ledger.domain import values
from ledger.domain.actor_faults import actor_faults
from ledger.domain.refusal import RefusalKind, Refused, Violation
from ledger.store.actors import Actor, ActorRegister
from ledger.store.errors import ActorSourceTaken

SOURCE_CHARACTERS_MAX = 400
RANDOM = 4
"""Version of a UUID that tells nothing."""


async def register_actor(
    register: ActorRegister, keys: ReservationKeys, hospital: str, request: RegisterActorRequest
) -> tuple[ActorMessage, bool]:
    """The person with its id, and whether the register changed. Raises Refused with every fault."""
    actor = _actor(keys, request)
    if request.actor.id or actor.source_key is None:
        actor_id, changed = actor.actor_id, await _upsert(register, hospital, actor)
    else:
        actor_id, changed = await register.upsert_sourced_actor(hospital, actor)
    message = ActorMessage()
    message.CopyFrom(request.actor)
    message.id = str(actor_id)
    return message, changed


async def _upsert(register: ActorRegister, hospital: str, actor: Actor) -> bool:
    try:
        return await register.upsert_actor(hospital, actor)
    except ActorSourceTaken as error:
        fault = Violation("source", "SOURCE_ELSEWHERE", "another actor came from it")
        raise Refused(RefusalKind.TAKEN, (fault,)) from error


def _actor(keys: ReservationKeys, request: RegisterActorRequest) -> Actor:
    faults: Faults = []
    asked = request.actor
    actor_id = _id(asked.id, faults) if asked.id else fresh_actor_id()
    texts = {each.name: getattr(asked, each.name) for each in fields(values.Actor) if each.name != "id"}
    faults += actor_faults(values.Actor(actor_id or UUID(int=0), **texts), "actor") + tuple(nul_faults(asked, "actor."))
    source = request.source if request.HasField("source") else None
    faults += _source_faults(source) if source else []
    if faults or actor_id is None:
        raise Refused(RefusalKind.INVALID, tuple(faults))
    key = keys.key("actor", (source.system, source.type, source.id)) if source else None
    return Actor(actor_id, **texts, source_key=key)


def fresh_actor_id() -> UUID:
    """A random id."""
    return UUID(bytes=os.urandom(16), version=RANDOM)


def _id(text: str, faults: Faults) -> UUID | None:
    found = parse_uuid(text, "actor.id", faults)
    if found is not None and found.version != RANDOM:
        faults.append(Violation("actor.id", "NOT_RANDOM", "a random UUID (version 4) is required, or none"))
    return found


def _source_faults(source: SourceItem) -> Faults:
    faults = nul_faults(source, "source.")
    for name in ("system", "type", "id"):
        text: str = getattr(source, name)
        if not text:
            faults.append(Violation(f"source.{name}", "REQUIRED", "a value is required"))
        if len(text) > SOURCE_CHARACTERS_MAX:
            faults.append(Violation(f"source.{name}", "TOO_LONG", f"at most {SOURCE_CHARACTERS_MAX} characters"))
    return faults
