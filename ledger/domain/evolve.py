"""The state after one more event. Never raises for an event that its stream can hold, and reads no clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ledger.domain import events, transfer_events
from ledger.domain.changed import changed
from ledger.domain.disposal_events import DisposalListDrawnUp
from ledger.domain.events import Event
from ledger.domain.evolve_disposal_list import DISPOSAL_LIST_STEPS
from ledger.domain.evolve_log import LOG_STEPS
from ledger.domain.evolve_map import MAP_STEPS
from ledger.domain.evolve_package import PACKAGE_STEPS
from ledger.domain.evolve_patient import PATIENT_STEPS
from ledger.domain.evolve_record import RECORD_STEPS
from ledger.domain.evolve_rulebook import RULEBOOK_STEPS
from ledger.domain.state import StreamState

Step = Callable[[Any, Any, datetime], StreamState]

STEPS: dict[type[Event], Step] = {
    **PATIENT_STEPS,
    **RECORD_STEPS,
    **PACKAGE_STEPS,
    **DISPOSAL_LIST_STEPS,
    **RULEBOOK_STEPS,
    **MAP_STEPS,
    **LOG_STEPS,
}
"""From the class of an event to the function (state, event, recorded_at) -> state."""


def evolve(state: StreamState | None, event: Event, version: int, recorded_at: datetime) -> StreamState:
    """The stream's state at `version`, given the state before and the event recorded then."""
    after = STEPS[type(event)](state, event, recorded_at)
    return changed(after, version=version) if after.version != version else after


def opens_stream(event: Event) -> bool:
    """Whether the event is the first of a stream."""
    first = events.PatientRegistered | events.RecordRegistered | transfer_events.PackageReceived | DisposalListDrawnUp
    return isinstance(event, first)
