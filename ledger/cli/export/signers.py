"""Who acted in a record, as its events say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from google.protobuf.message import DecodeError

from ledger.api.v1.common_pb2 import EventMeta
from ledger.trust.envelope import decode
from ledger.trust.proof_pack import PackEvent, ProofPack
from ledger.views.bodies import BODIES


@dataclass(frozen=True, slots=True)
class Signer:
    """An actor of a record."""

    actor: str
    """The random id that stands for a person at a hospital; `none` where no actor applies."""
    names: tuple[str, ...]
    """Name and licence as signed, as far as bodies were opened."""
    versions: tuple[int, ...]


def signers_of(pack: ProofPack, opened: Mapping[bytes, bytes]) -> list[Signer]:
    """The actors in order of their first event. `opened`: by envelope what was opened beside the pack."""
    versions: dict[str, list[int]] = {}
    names: dict[str, list[str]] = {}
    for version, event in enumerate(pack.events, 1):
        actor = decode(event.envelope).actor
        name = str(UUID(bytes=actor)) if actor else "none"
        versions.setdefault(name, []).append(version)
        if said := _name_in(event, opened.get(event.envelope, b"")):
            names.setdefault(name, []).append(said)
    return [Signer(each, tuple(dict.fromkeys(names.get(each, ()))), tuple(found)) for each, found in versions.items()]


def _name_in(event: PackEvent, opened: bytes) -> str:
    """Name and licence of the actor in a body that was opened; empty where none can be read."""
    envelope, readable = decode(event.envelope), event.plaintext or opened
    if not readable or envelope.type not in BODIES:
        return ""
    try:
        body = BODIES[envelope.type].FromString(readable)
    except DecodeError:
        return ""
    actor = cast("EventMeta", getattr(body, "meta", EventMeta())).actor
    return ", ".join(part for part in (actor.name, actor.licence) if part)
