"""Events of acts that a second person endorsed by an own login before the first one did them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.domain.keeping_values import EndorsedAct
from ledger.domain.values import EventMeta


@dataclass(frozen=True)
class ActEndorsed:
    """A second person (the actor) endorsed one act beforehand."""

    meta: EventMeta
    endorsement_id: UUID
    act: EndorsedAct
    subject_id: UUID | None
    """Seal that is opened, patient of a correction, right record of one in error; None = the record itself."""
    template: str
    content_sha256: bytes
    """Of a late item: what it says."""
    reason: str
    expires_at: datetime
    """The last moment at which the act may be done."""


@dataclass(frozen=True)
class EndorsementUsed:
    """The act was done, and its endorsement with it: the last event of that step."""

    meta: EventMeta
    endorsement_id: UUID


EndorsementEvent = ActEndorsed | EndorsementUsed
