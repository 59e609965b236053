"""Endorsements, event by event: each waits for its act, which uses it up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from ledger.domain import endorsement_events as events
from ledger.domain.endorsed_acts import IDENTIFICATIONS, act_waiting
from ledger.domain.keeping_state import Endorsement
from ledger.domain.next_version import with_overlays
from ledger.domain.state import RecordState


def act_endorsed(state: RecordState, event: events.ActEndorsed, at: datetime) -> RecordState:
    """One more waits; the same person's earlier word for the same act ends."""
    endorsed = Endorsement(
        event.endorsement_id,
        event.act,
        event.meta.actor,
        at,
        event.expires_at,
        event.reason,
        event.subject_id,
        event.template,
        event.content_sha256,
    )
    before = {
        key: each
        for key, each in state.overlays.endorsements.items()
        if act_waiting(each) != act_waiting(endorsed) or each.endorsed_by.id != endorsed.endorsed_by.id
    }
    return with_overlays(state, endorsements={**before, event.endorsement_id: endorsed})


def endorsement_used(state: RecordState, event: events.EndorsementUsed, _: datetime) -> RecordState:
    """The act is done, whoever else has endorsed it."""
    waiting = state.overlays.endorsements
    used = waiting.get(event.endorsement_id)
    left = {key: each for key, each in waiting.items() if used is None or act_waiting(each) != act_waiting(used)}
    return with_overlays(state, endorsements=left)


def of_who_it_was(endorsements: Mapping[UUID, Endorsement]) -> dict[UUID, Endorsement]:
    """What still waits once the record is somebody else's: whoever endorsed a correction meant who was named then."""
    return {key: each for key, each in endorsements.items() if each.act not in IDENTIFICATIONS}


ENDORSEMENT_STEPS: dict[Any, Callable[[Any, Any, datetime], RecordState]] = {
    events.ActEndorsed: act_endorsed,
    events.EndorsementUsed: endorsement_used,
}
