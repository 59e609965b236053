"""A newborn's id that was taken back: what is about it is shown as about the newborn who is meant."""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from ledger.api.v1 import course_events_pb2
from ledger.views.event import ViewEvent


class LedNewborn(NamedTuple):
    """A newborn that was taken back, or that stands again."""

    record_id: UUID
    subject_id: UUID
    version: int
    same_as: UUID | None
    """The newborn who is meant by it; None = nobody, or it stands."""


def led_newborn(
    event: ViewEvent, body: course_events_pb2.NewbornWithdrawn | course_events_pb2.NewbornRestored
) -> LedNewborn:
    """The row after the event."""
    withdrawn = isinstance(body, course_events_pb2.NewbornWithdrawn)
    same_as = UUID(body.same_as_id) if withdrawn and body.same_as_id else None
    return LedNewborn(event.stream_id, UUID(body.subject_id), event.version, same_as)


def subject_meant(subject: str, led: Mapping[str, str]) -> str:
    """Whom the id means, over any number of steps; empty = the patient."""
    while subject in led:
        subject = led[subject]
    return subject
