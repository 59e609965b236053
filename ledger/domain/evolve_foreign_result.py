"""What became of results of other hospitals, event by event."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ledger.domain import course_events as events
from ledger.domain.course_state import ForeignResult
from ledger.domain.next_version import next_version
from ledger.domain.state import RecordState


def recognised(state: RecordState, event: events.ResultRecognised, at: datetime) -> RecordState:
    """Another hospital's result stands for an examination of this one."""
    return _said_of(state, event, at, entry_id=event.entry_id)


def repeated(state: RecordState, event: events.ExaminationRepeated, at: datetime) -> RecordState:
    """The examination was made again although a result was known."""
    return _said_of(state, event, at, repeated=True, reason=event.reason)


def _said_of(
    state: RecordState, event: events.ResultRecognised | events.ExaminationRepeated, at: datetime, **became: Any
) -> RecordState:
    result = ForeignResult(event.result_id, event.hospital, event.meta.actor, at, state.version + 1, **became)
    return next_version(state, foreign_results=(*state.foreign_results, result))


FOREIGN_RESULT_STEPS: dict[Any, Callable[[Any, Any, datetime], RecordState]] = {
    events.ResultRecognised: recognised,
    events.ExaminationRepeated: repeated,
}
