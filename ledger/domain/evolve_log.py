"""The stream of a succession, event by event."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ledger.domain.log_events import DestructionsUpheld, LogSucceeded
from ledger.domain.log_succession import LogSuccessionState


def of_the_ended_log(
    state: LogSuccessionState | None, event: LogSucceeded | DestructionsUpheld, _: datetime
) -> LogSuccessionState:
    """The log that ended."""
    return LogSuccessionState(state.version + 1 if state else 1, event.ended_origin)


LOG_STEPS: dict[Any, Callable[[Any, Any, datetime], LogSuccessionState]] = {
    LogSucceeded: of_the_ended_log,
    DestructionsUpheld: of_the_ended_log,
}
