"""Events of the domain to and from the bytes of their bodies."""

from __future__ import annotations

from google.protobuf.message import DecodeError, Message

from ledger.application.message_codec import to_domain, to_message
from ledger.application.upcast import READABLE, newest
from ledger.domain.events import Event
from ledger.domain.refusal import Refused
from ledger.views.bodies import BODIES, TYPE_PREFIX
from ledger.views.unknown_fields import has_unknown_fields


class UnknownType(ValueError):
    """No release that this one knows of stored such an event, or not with these fields."""


class UndecodableBody(ValueError):
    """The bytes are not the body of that type of event."""


def encode_body(event: Event) -> bytes:
    """The body's bytes, which from now on are the truth and are never made again."""
    return to_message(event, _message_class(type(event).__name__)).SerializeToString()


def decode_body(stored_name: str, body: bytes) -> Event:
    """The event, in its newest version. Raises UnknownType or UndecodableBody."""
    cls = READABLE.get(stored_name)
    if cls is None:
        raise UnknownType
    try:
        message = _message_class(cls.__name__).FromString(body)
        if has_unknown_fields(message):
            raise UnknownType
        event = to_domain(message, cls)
    except (DecodeError, Refused) as error:
        raise UndecodableBody from error
    return newest(event)


def _message_class(name: str) -> type[Message]:
    return BODIES[f"{TYPE_PREFIX}{name}"]
