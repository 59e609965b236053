"""The stream of a succession, event by event: there is one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ledger.domain.log_events import LogSucceeded
from ledger.domain.log_succession import LogSuccessionState


def log_succeeded(state: LogSuccessionState | None, event: LogSucceeded, _: datetime) -> LogSuccessionState:
    """The log that ended."""
    return LogSuccessionState(state.version + 1 if state else 1, event.ended_origin)


LOG_STEPS: dict[Any, Callable[[Any, Any, datetime], LogSuccessionState]] = {LogSucceeded: log_succeeded}
