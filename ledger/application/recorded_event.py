"""An event with its place in a stream, and the library's mapper between it and the stored form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import cast
from uuid import UUID

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent

from ledger.application.body_codec import UndecodableBody, decode_body
from ledger.application.message_codec import micros_of, time_of
from ledger.domain.events import Event, stored_name
from ledger.store.stored_state import join_state
from ledger.trust.envelope import Envelope
from ledger.trust.glance import whole
from ledger.trust.leaf import leaf_hash
from ledger.trust.sealing import Draft, Sealed

FORMAT = 1


@dataclass(frozen=True)
class RecordedEvent:
    """An event of the domain at its place. `envelope` is exactly what is, or will be, stored."""

    originator_id: UUID
    originator_version: int
    event: Event
    recorded_at: datetime
    envelope: bytes
    body: bytes
    leaf: bytes


@dataclass(frozen=True)
class Place:
    """Where an event goes: everything of its envelope that does not come from the event itself."""

    origin: str
    stream_id: UUID
    version: int
    recorded_at: datetime
    prev_leaf: bytes
    """Leaf of the stream's last stored event; a later event of the same command follows the one before it."""


def draft(event: Event, place: Place, plaintext: bytes) -> Draft:
    """The event as the sealer takes it."""
    envelope = Envelope(
        format=FORMAT,
        origin=place.origin,
        stream_id=place.stream_id.bytes,
        stream_version=place.version,
        type=stored_name(type(event)),
        recorded_at=micros_of(place.recorded_at),
        actor=event.meta.actor.id.bytes,
        key_id=b"",
        body_sha256=b"",
        commitment=b"",
        prev_leaf=place.prev_leaf,
    )
    return Draft(envelope, plaintext)


def record(event: Event, place: Place, sealed: Sealed) -> RecordedEvent:
    """The event with its stored form."""
    return RecordedEvent(
        place.stream_id, place.version, event, place.recorded_at, sealed.envelope, sealed.body, sealed.leaf
    )


class SealedBody(TypeError):
    """A stored event is read through HospitalLedger, which has its body opened."""


class LedgerMapper(Mapper[UUID]):
    """Event <-> envelope and body, as the library's stored event. It seals nothing: bodies come to it opened."""

    def __init__(self) -> None:
        super().__init__(JSONTranscoder())  # the library wants one; bodies are protobuf and never pass through it

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        """The stored form of a RecordedEvent."""
        recorded = cast("RecordedEvent", domain_event)
        return StoredEvent(
            originator_id=recorded.originator_id,
            originator_version=recorded.originator_version,
            topic=stored_name(type(recorded.event)),
            state=join_state(recorded.envelope, recorded.body),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[UUID]:  # noqa: ARG002  # the library names it
        """Raises SealedBody: the library cannot wait for a body to be opened."""
        raise SealedBody

    def read(self, envelope: bytes, body: bytes, plaintext: bytes) -> RecordedEvent:
        """The RecordedEvent of an envelope and its opened body. Raises UnknownType, UndecodableBody, EnvelopeFault."""
        clear = whole(envelope)
        if sha256(body).digest() != clear.body_sha256:
            raise UndecodableBody
        return RecordedEvent(
            originator_id=_stream_of(clear.stream_id),
            originator_version=clear.stream_version,
            event=decode_body(clear.type, plaintext),
            recorded_at=time_of(clear.recorded_at),
            envelope=envelope,
            body=body,
            leaf=leaf_hash(envelope),
        )


@lru_cache(maxsize=256)
def _stream_of(stream_id: bytes) -> UUID:
    """A load reads event after event of one stream."""
    return UUID(bytes=stream_id)
