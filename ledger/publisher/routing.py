"""Which hospitals an event concerns beside its own: pure, by the type of the event and its body."""

from __future__ import annotations

import re

from google.protobuf.message import DecodeError, Message

from ledger.api.v1 import events_pb2

_HOSPITAL = re.compile(r"[a-z][a-z0-9-]{1,30}")
_PREFIX = "ledger.v1."
_TO_COUNTERPART: dict[str, type[Message]] = {
    f"{_PREFIX}{each.DESCRIPTOR.name}": each
    for each in (
        # An offer and what becomes of it goes to the recipient,
        events_pb2.TransferOffered,
        events_pb2.TransferWithdrawn,
        events_pb2.TransferSuperseded,
        # the recipient's answer to the sender.
        events_pb2.PackageVerified,
        events_pb2.PackageAccepted,
        events_pb2.PackageRejected,
    )
}


def recipients_of(event_type: str, body: bytes) -> tuple[str, ...]:
    """The hospitals on whose transfer topics the event appears too."""
    message_class = _TO_COUNTERPART.get(event_type)
    if message_class is None:
        return ()
    try:
        counterpart: str = getattr(message_class.FromString(body), "counterpart")  # noqa: B009  # each class has it
    except DecodeError:
        # The event is published as it is, and its record stops in the readers; the hospital's stream does not.
        return ()
    # A name that no hospital can have has no topic, and a send to it would hold up everything behind it.
    return (counterpart,) if _HOSPITAL.fullmatch(counterpart) else ()


def routed_types() -> tuple[str, ...]:
    """The stored names of the events that go to a transfer topic."""
    return tuple(_TO_COUNTERPART)
