"""Which log a stream of kind `log` speaks of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LogSuccessionState:
    """A log that ended; one stream for each, never destroyed."""

    version: int
    ended_origin: str
