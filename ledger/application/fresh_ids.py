"""Random ids for a decision, which makes none itself: as many as any decision takes."""

from __future__ import annotations

import os
from uuid import UUID

IDS = 1
_ID_BYTES = 16
_RANDOM_BITS = (1 << 128) - 1 ^ (0xF << 76 | 0b11 << 62)
_VERSION_4 = 4 << 76 | 0b10 << 62


def fresh_ids() -> tuple[UUID, ...]:
    """Random version 4 UUIDs for one decision."""
    random = os.urandom(IDS * _ID_BYTES)
    numbers = [int.from_bytes(random[at : at + _ID_BYTES], "big") for at in range(0, len(random), _ID_BYTES)]
    return tuple([UUID(int=each & _RANDOM_BITS | _VERSION_4) for each in numbers])
