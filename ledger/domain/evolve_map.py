"""Published record maps, event by event."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ledger.domain.map_events import MapPublished
from ledger.domain.published_maps import PublishedMapsState


def map_published(state: PublishedMapsState | None, event: MapPublished, _: datetime) -> PublishedMapsState:
    """The newest map."""
    version = state.version + 1 if state else 1
    return PublishedMapsState(version, event.tree_size, event.rows, event.root)


MAP_STEPS: dict[Any, Callable[[Any, Any, datetime], PublishedMapsState]] = {MapPublished: map_published}
