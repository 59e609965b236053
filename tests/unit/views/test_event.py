"""What a view makes of a published event."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from ledger.api.v1 import events_pb2
from ledger.api.v1.common_pb2 import Actor, EventMeta
from ledger.trust.sealing import Destroyed, Opened, Opening, SealFault, SealFaultKind
from ledger.views.errors import BodyDestroyed, BodyNotOpened, UnknownEventType, UnreadableBody
from ledger.views.event import ViewEvent

LATER_FIELD = b"\xfa\x3f\x04text"
"""Field 1023, which no message has."""
WHOLE = events_pb2.EntryRetracted(meta=EventMeta(actor=Actor(name="Dr. Wu")), entry_id="e", reason="r")


def event(body: bytes, event_type: str = "ledger.v1.EntryRetracted", opening: Opening | None = None) -> ViewEvent:
    """An event of which only type and body matter."""
    return ViewEvent(1, UUID(int=1), 1, event_type, 1, bytes(32), b"", b"sealed", opening or Opened(body))


def test_a_body_is_decoded() -> None:
    """All that it says."""
    assert event(WHOLE.SerializeToString()).message == WHOLE


def test_a_field_of_a_later_release_is_not_dropped_in_silence() -> None:
    """Anywhere in the body: the event is parked, as one of another version."""
    inside = EventMeta.FromString(WHOLE.meta.SerializeToString() + LATER_FIELD)
    for body in (
        WHOLE.SerializeToString() + LATER_FIELD,
        events_pb2.EntryRetracted(meta=inside, entry_id="e", reason="r").SerializeToString(),
    ):
        with pytest.raises(UnknownEventType):
            _ = event(body).message


def test_a_sealed_body_is_read_through_its_opening() -> None:
    """What the opener found counts, not the stored bytes: content, a destroyed record, or a fault."""
    stored = b"sealed"
    assert event(stored, opening=Opened(WHOLE.SerializeToString())).message == WHOLE
    with pytest.raises(BodyDestroyed):
        _ = event(stored, opening=Destroyed()).message
    with pytest.raises(BodyNotOpened) as fault:
        _ = event(stored, opening=SealFault(SealFaultKind.KEY_MISSING)).message
    assert fault.value.kind == "KEY_MISSING"


def test_a_body_that_nobody_opened_is_not_taken_for_a_clear_one() -> None:
    """There is no way round the opener."""
    with pytest.raises(BodyNotOpened):
        _ = replace(event(WHOLE.SerializeToString()), opening=None).message


def test_what_cannot_be_read_says_so() -> None:
    """Bytes that are no body, and types that this release does not know."""
    with pytest.raises(UnreadableBody):
        _ = event(b"\xff\xff").message
    with pytest.raises(UnknownEventType):
        _ = event(b"", "ledger.v9.EntryRetracted").message
