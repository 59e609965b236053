"""A published event as a view sees it."""

from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from google.protobuf.message import DecodeError, Message
from google.protobuf.timestamp_pb2 import Timestamp

from ledger.trust.envelope import decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.sealing import Destroyed, Opened, Opening, SealFault
from ledger.views.bodies import BODIES
from ledger.views.errors import BodyDestroyed, BodyNotOpened, UnknownEventType, UnreadableBody
from ledger.views.unknown_fields import has_unknown_fields


@dataclass(frozen=True)
class ViewEvent:
    """One event with its place in the ledger. Positions count from 1; `recorded_at` is Unix microseconds."""

    position: int
    stream_id: UUID
    version: int
    event_type: str
    """Stored event name with version, for example `ledger.v1.EntryRecorded`."""
    recorded_at: int
    leaf: bytes
    """Leaf hash of the event, 32 bytes."""
    envelope: bytes
    body: bytes
    """As stored, sealed or not."""
    opening: Opening | None = None
    """What the opener made of the body; None until it was asked."""

    @cached_property
    def message(self) -> Message:
        """The decoded body. UnknownEventType or UnreadableBody where this release cannot read it, BodyDestroyed."""
        message = self.body_class()
        try:
            message.ParseFromString(self.plaintext)
        except DecodeError:
            raise UnreadableBody(self.event_type) from None
        if has_unknown_fields(message):
            raise UnknownEventType(self.event_type)
        return message

    @property
    def plaintext(self) -> bytes:
        """The body in the clear. BodyDestroyed, or BodyNotOpened where it should open and does not."""
        match self.opening:
            case None:
                raise BodyNotOpened(self.event_type, "NOT_ASKED")
            case Opened(plaintext=plaintext):
                return plaintext
            case Destroyed():
                raise BodyDestroyed(self.event_type)
            case SealFault(kind=kind):
                raise BodyNotOpened(self.event_type, kind.name)

    @property
    def gone(self) -> bool:
        """Whether the envelope is all that is left of the event."""
        return isinstance(self.opening, Destroyed)

    @property
    def body_class(self) -> type[Message]:
        """The class of the body. UnknownEventType where this release does not know the type."""
        found = BODIES.get(self.event_type)
        if found is None:
            raise UnknownEventType(self.event_type)
        return found


def view_event(position: int, envelope: bytes, body: bytes) -> ViewEvent:
    """The event in these stored bytes. EnvelopeFault where the envelope is malformed."""
    clear = decode(envelope)
    return ViewEvent(
        position=position,
        stream_id=UUID(bytes=clear.stream_id),
        version=clear.stream_version,
        event_type=clear.type,
        recorded_at=clear.recorded_at,
        leaf=leaf_hash(envelope),
        envelope=envelope,
        body=body,
    )


def kept_event(position: int, stream_id: UUID, version: int, envelope: bytes, body: bytes) -> ViewEvent:
    """The event that was kept with its place; one whose envelope is malformed has no type, and stops its record."""
    try:
        return view_event(position, envelope, body)
    except EnvelopeFault:
        return ViewEvent(position, stream_id, version, "", 0, leaf_hash(envelope), envelope, body)


def unix_micros(time: Timestamp) -> int | None:
    """Unix microseconds of a protobuf time; None where it was not set."""
    return time.seconds * 1_000_000 + time.nanos // 1_000 if time.seconds or time.nanos else None


def protobuf_time(micros: int | None) -> Timestamp | None:
    """The protobuf time of Unix microseconds; None stays absent."""
    if micros is None:
        return None
    return Timestamp(seconds=micros // 1_000_000, nanos=micros % 1_000_000 * 1_000)
