"""Which record map a ledger published last."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedMapsState:
    """One stream for each hospital, of kind `map`; it is in no map itself, and is never destroyed."""

    version: int
    tree_size: int
    rows: int
    root: bytes
