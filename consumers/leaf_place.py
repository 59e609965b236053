"""Where a message says that it lies in its sender's log."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LeafPlace:
    """A leaf and its place, as its message says them."""

    origin: str
    """Of the sender's ledger."""
    position: int
    leaf: bytes
    """Leaf hash, 32 bytes."""
