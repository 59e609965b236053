"""A corrected time counts from now on; the old one stays in the history."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from ledger.domain.course_events import TimeCorrected
from ledger.domain.course_state import Consultation, TimeCorrection
from ledger.domain.next_version import latest_end, next_version, with_entry
from ledger.domain.state import RecordState
from ledger.domain.values import TimeOf


def time_corrected(state: RecordState, event: TimeCorrected, at: datetime) -> RecordState:
    """The time that the event names, and the note of its correction."""
    to, by = event.corrected_at, event.meta.actor
    made = TimeCorrection(
        of=event.of,
        entry_id=event.entry_id,
        move=event.move,
        before=event.before,
        corrected_at=to,
        reason=event.reason,
        corrected_by=by,
        recorded_at=at,
        consultation_id=event.consultation_id,
        record_version=state.version + 1,
    )
    state = replace(state, time_corrections=(*state.time_corrections, made))
    if event.of is not TimeOf.ENTRY:
        state = replace(state, overlays=replace(state.overlays, stay_version=state.version + 1))
    match event.of:
        case TimeOf.CARE_START:
            return next_version(state, started_at=to)
        case TimeOf.CARE_END:
            return next_version(state, ended_at=to, latest_end=latest_end(state, to))
        case TimeOf.MOVE:
            moved = replace(state.moves[event.move - 1], moved_at=to)
            return next_version(state, moves=(*state.moves[: event.move - 1], moved, *state.moves[event.move :]))
        case TimeOf.ENTRY:
            entry = state.entries[_named(event.entry_id)]
            return with_entry(state, replace(entry, corrected_at=to, changed_version=state.version + 1))
        case TimeOf.CONSULTATION_REQUEST:
            # As of the request itself: a time ahead of the ledger's clock gains nobody time.
            asked = state.consultations[_named(event.consultation_id)]
            return _consulted(state, replace(asked, requested_at=min(to, at)))
        case TimeOf.CONSULTATION_ARRIVAL:
            return _consulted(state, replace(state.consultations[_named(event.consultation_id)], arrived_at=to))


def _named(found: UUID | None) -> UUID:
    assert found is not None  # noqa: S101 - it was decided on one
    return found


def _consulted(state: RecordState, asked: Consultation) -> RecordState:
    return next_version(state, consultations={**state.consultations, asked.consultation_id: asked})
