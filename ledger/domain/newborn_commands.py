"""Commands on the newborns of a mother's record; field names are those of protos/ledger/api/v1/course.proto."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class RegisterNewborn:
    """Makes a newborn a subject of the mother's record."""

    record_id: UUID
    number: int
    born_at: datetime | None
    reason: str = ""
    """Why it is entered so late."""


@dataclass(frozen=True)
class CorrectBirth:
    """Corrects a newborn's time of birth."""

    record_id: UUID
    subject_id: UUID
    born_at: datetime
    reason: str


@dataclass(frozen=True)
class WithdrawNewborn:
    """Takes a newborn back that was registered twice, or by mistake."""

    record_id: UUID
    subject_id: UUID
    same_as_id: UUID | None
    """The newborn who is meant by it; None = nobody was born."""
    reason: str


@dataclass(frozen=True)
class RestoreNewborn:
    """Takes such a withdrawal back."""

    record_id: UUID
    subject_id: UUID
    reason: str


@dataclass(frozen=True)
class LinkNewborn:
    """Says which patient of this hospital the newborn is, whose own records are found by that; or that it is none."""

    record_id: UUID
    subject_id: UUID
    patient_id: UUID | None
    """None = the link is taken back."""
    reason: str = ""
    """Why a link that there is becomes another one, or none."""


NewbornCommand = RegisterNewborn | CorrectBirth | WithdrawNewborn | RestoreNewborn | LinkNewborn
