"""Old bodies, new code: pure steps from one version of an event's body to the next.

Stored bytes are never rewritten. When an event gets a second version, its first body class stays readable here and a
step `old -> new` is added to `STEPS`; `decide` and `evolve` see only the newest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from ledger.domain.events import BY_STORED_NAME, Event

STEPS: dict[type[Any], Callable[[Any], Any]] = {}
"""From the class of an older version to a function that gives the next version's event."""

READABLE: dict[str, type[Event]] = dict(BY_STORED_NAME)
"""Every stored name that this release can read, and its class."""


def newest(event: Any) -> Event:
    """The event in its newest version."""
    newer: object = event
    while (step := STEPS.get(type(newer))) is not None:
        newer = step(newer)
    return cast("Event", newer)
