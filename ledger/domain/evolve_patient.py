"""Patient streams, event by event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from ledger.domain import events
from ledger.domain.state import PatientState


def registered(_: None, event: events.PatientRegistered, __: datetime) -> PatientState:
    """A person becomes known."""
    return PatientState(1, event.case_number, event.identity, event.details)


def amended(state: PatientState, event: events.PatientAmended, _: datetime) -> PatientState:
    """Other data are in force."""
    return replace(state, version=state.version + 1, details=event.details)


PATIENT_STEPS: dict[Any, Callable[[Any, Any, datetime], PatientState]] = {
    events.PatientRegistered: registered,
    events.PatientAmended: amended,
}
