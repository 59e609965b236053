"""The command on a ledger's record maps. Its field names are those of the request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishMap:
    """Publishes a record map whose files are stored already."""

    tree_size: int
    rows: int
    root: bytes
    map_version: int
