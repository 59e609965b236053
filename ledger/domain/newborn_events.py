"""Events on the newborns of a mother's record; see events.py for what every event class promises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.domain.values import EventMeta


@dataclass(frozen=True)
class NewbornRegistered:
    """A newborn became a subject of the mother's record."""

    meta: EventMeta
    subject_id: UUID
    number: int
    born_at: datetime


@dataclass(frozen=True)
class NewbornEnteredLate:
    """The newborn that the event before this one registers was entered late."""

    meta: EventMeta
    subject_id: UUID
    reason: str


@dataclass(frozen=True)
class BirthCorrected:
    """A time of birth was corrected; what was said before stays in the event that said it."""

    meta: EventMeta
    subject_id: UUID
    before: datetime
    born_at: datetime
    reason: str


@dataclass(frozen=True)
class NewbornWithdrawn:
    """A newborn was taken back, registered twice or by mistake; entries keep the id that they were signed with."""

    meta: EventMeta
    subject_id: UUID
    same_as_id: UUID | None
    """The newborn who is meant by it; None = nobody was born."""
    reason: str


@dataclass(frozen=True)
class NewbornRestored:
    """The withdrawal of a newborn was taken back: it is a subject of its own again."""

    meta: EventMeta
    subject_id: UUID
    reason: str


@dataclass(frozen=True)
class NewbornLinked:
    """A newborn is a patient of this hospital, with records of its own; or it was no such patient."""

    meta: EventMeta
    subject_id: UUID
    patient_id: UUID | None
    """None = the link before was taken back."""
    reason: str


NewbornEvent = (
    NewbornRegistered | NewbornEnteredLate | BirthCorrected | NewbornWithdrawn | NewbornRestored | NewbornLinked
)
