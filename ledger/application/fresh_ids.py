"""Random ids for a decision, which makes none itself: as many as any decision takes."""

from __future__ import annotations

import os
from uuid import UUID

_ID_BYTES = 16
_RANDOM_BITS = (1 << 128) - 1 ^ (0xF << 76 | 0b11 << 62)
_VERSION_4 = 4 << 76 | 0b10 << 62


def fresh_id() -> UUID:
    """A random version 4 UUID."""
    return UUID(int=int.from_bytes(os.urandom(_ID_BYTES), "big") & _RANDOM_BITS | _VERSION_4)


def fresh_ids() -> tuple[UUID, ...]:
    """Those for one decision."""
    return (fresh_id(),)
