"""The event by which a ledger publishes a record map; see events.py for what every event class promises."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.values import EventMeta


@dataclass(frozen=True)
class MapPublished:
    """A record map was published: where every record stood after position `tree_size`."""

    meta: EventMeta
    tree_size: int
    rows: int
    root: bytes
    """32 bytes."""
    map_version: int
