"""What is to be looked at by when: one row of the clock's table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

AGAIN_AFTER = timedelta(hours=1)
"""When a record is looked at again that could not be dealt with and that nothing has happened to since."""


class Act(StrEnum):
    """Why a stream is looked at."""

    DEADLINE = "deadline"
    RETENTION = "retention"
    READMISSION = "readmission"
    """A visit may move the dates of the patient's other records."""
    LINK = "link"
    """Not a record but a patient: somebody else's visits count now as well."""
    OFFER = "offer"
    """An offer to another hospital may run out."""


@dataclass(frozen=True, slots=True)
class Work:
    """A stream that is to be looked at once `act_at` has come."""

    record_id: UUID
    act: Act
    act_at: datetime
    due_at: datetime
    """The deadline itself, or the day on which the term is over."""
    rule: str = ""
    """Rule of the pack; empty for a retention term, and where the record could not be dealt with."""
    subject_id: str = ""
    """Consultation, entry or transfer, UUID text; may be empty."""
    since: datetime | None = None
    """What a deadline is counted from; None for everything else, and for one that was reported already."""


NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""When what only another calendar of the hospital may move is looked at by itself."""


def again(record_id: UUID, act: Act, now: datetime) -> Work:
    """Another look after a while."""
    return Work(record_id, act, now + AGAIN_AFTER, now + AGAIN_AFTER)
