"""The trace that the current call belongs to; it rides beside an event, never inside it."""

from __future__ import annotations

from contextvars import ContextVar

current_traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""W3C `traceparent` of the call under way; None = the caller sent none."""
