"""Which hospitals an event concerns beside its own, by the type of the event and its body."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Protocol

from google.protobuf.message import DecodeError, Message

from ledger.api.v1 import events_pb2
from ledger.keys.errors import KeysUnavailable
from ledger.stream.contract import StreamError, StreamUnavailable
from ledger.trust.sealed_body import lies_in_the_clear
from ledger.trust.sealing import Destroyed, Opened, Opener, Opening, SealFault

_HOSPITAL = re.compile(r"[a-z][a-z0-9-]{1,30}")
_PREFIX = "ledger.v1."
_log = logging.getLogger(__name__)
_TO_COUNTERPART: dict[str, type[Message]] = {
    f"{_PREFIX}{each.DESCRIPTOR.name}": each
    for each in (
        # An offer and what becomes of it goes to the recipient,
        events_pb2.TransferOffered,
        events_pb2.TransferWithdrawn,
        events_pb2.TransferExpired,
        events_pb2.TransferSuperseded,
        events_pb2.TransferOutdated,
        # the recipient's answer to the sender.
        events_pb2.PackageVerified,
        events_pb2.PackageAccepted,
        events_pb2.PackageRejected,
    )
}


class RoutedEvent(Protocol):
    """What is looked at of an event."""

    @property
    def position(self) -> int:
        """In the ledger."""
        ...

    @property
    def type(self) -> str:
        """Stored name."""
        ...

    @property
    def envelope(self) -> bytes:
        """As stored."""
        ...

    @property
    def body(self) -> bytes:
        """As stored."""
        ...


class ClearLedger(StreamError):
    """The ledger holds a body in the clear, from before bodies were sealed; this release publishes none of it."""

    def __init__(self, position: int) -> None:
        super().__init__(f"{ClearLedger.__doc__} Position {position}.")
        self.position = position


class Routing:
    """Finds for whom events are, by having the few bodies opened that say so."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    async def recipients(self, events: Sequence[RoutedEvent]) -> dict[int, tuple[str, ...]]:
        """By position, where there are any. Raises ClearLedger; StreamUnavailable where keys cannot be asked for.

        A body that does not open goes to nobody: its record stops in the readers, the hospital's stream does not.
        """
        for each in events:
            if lies_in_the_clear(each.envelope, each.body):
                raise ClearLedger(each.position)
        routed = [each for each in events if each.type in _TO_COUNTERPART]
        if not routed:
            return {}
        try:
            openings = await self._opener.open([(each.envelope, each.body) for each in routed])
        except KeysUnavailable as error:
            raise StreamUnavailable(str(error)) from error
        found = {each.position: _recipients(each, opening) for each, opening in zip(routed, openings, strict=True)}
        return {position: recipients for position, recipients in found.items() if recipients}


def _recipients(event: RoutedEvent, opening: Opening) -> tuple[str, ...]:
    match opening:
        case Opened(plaintext=plaintext):
            return recipients_of(event.type, plaintext)
        case Destroyed():
            return ()
        case SealFault(kind=kind):
            about = {"position": event.position, "type": event.type, "fault": kind.name}
            _log.error("nobody knows for whom an event is: its body cannot be opened", extra=about)
            return ()


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
