"""Newborns of a record, event by event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from ledger.domain import newborn_events as events
from ledger.domain.course_state import BirthCorrection, Newborn
from ledger.domain.newborns import entries_about
from ledger.domain.next_version import led, next_version
from ledger.domain.state import RecordState


def registered(state: RecordState, event: events.NewbornRegistered, _: datetime) -> RecordState:
    """One more subject, which an appraisal of before has not seen."""
    born = Newborn(event.subject_id, event.number, event.born_at, record_version=state.version + 1)
    overlays = replace(state.overlays, content_version=state.version + 1)
    return next_version(state, newborns={**state.newborns, event.subject_id: born}, overlays=overlays)


def entered_late(state: RecordState, event: events.NewbornEnteredLate, _: datetime) -> RecordState:
    """Why is known."""
    return _with(state, event.subject_id, late_reason=event.reason)


def birth_corrected(state: RecordState, event: events.BirthCorrected, at: datetime) -> RecordState:
    """Another time counts, and the note of its correction."""
    made = BirthCorrection(event.before, event.born_at, event.reason, event.meta.actor, at)
    corrections = (*state.newborns[event.subject_id].corrections, made)
    state = replace(state, overlays=replace(state.overlays, stay_version=state.version + 1))
    return _with(state, event.subject_id, born_at=event.born_at, corrections=corrections)


def withdrawn(state: RecordState, event: events.NewbornWithdrawn, _: datetime) -> RecordState:
    """No subject of its own; what is about it is about who is meant."""
    changed = _led_elsewhere(state, event.subject_id)
    return _with(changed, event.subject_id, withdrawn=True, same_as_id=event.same_as_id, reason=event.reason)


def restored(state: RecordState, event: events.NewbornRestored, _: datetime) -> RecordState:
    """A subject of its own again."""
    changed = _led_elsewhere(state, event.subject_id)
    return _with(changed, event.subject_id, withdrawn=False, same_as_id=None, reason=event.reason)


def linked(state: RecordState, event: events.NewbornLinked, _: datetime) -> RecordState:
    """It is that patient, or none. An appraisal of this record has seen all that it holds."""
    return _with(state, event.subject_id, patient_id=event.patient_id, link_reason=event.reason)


def _led_elsewhere(state: RecordState, subject_id: UUID) -> RecordState:
    """Who holds the record is to be told of this event, and what is about the newborn is about somebody else by it."""
    entries = led(state, entries_about(state, subject_id))
    return replace(state, entries=entries, overlays=replace(state.overlays, stay_version=state.version + 1))


def _with(state: RecordState, subject_id: UUID, **changes: Any) -> RecordState:
    found = replace(state.newborns[subject_id], **changes)
    return next_version(state, newborns={**state.newborns, subject_id: found})


NEWBORN_STEPS: dict[Any, Callable[[Any, Any, datetime], RecordState]] = {
    events.NewbornRegistered: registered,
    events.NewbornEnteredLate: entered_late,
    events.BirthCorrected: birth_corrected,
    events.NewbornWithdrawn: withdrawn,
    events.NewbornRestored: restored,
    events.NewbornLinked: linked,
}
