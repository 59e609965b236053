"""Who calls, as the call says it beside the request."""

from __future__ import annotations

from contextvars import ContextVar

current_authorization: ContextVar[str | None] = ContextVar("authorization", default=None)
"""The `authorization` of the call under way; None = the caller sent none. Never logged."""
