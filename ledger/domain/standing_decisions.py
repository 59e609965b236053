"""How many decisions that entries code still stand: of a patient's word about the same the last one counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class _Turn(IntEnum):
    """In this order where the same moment is said: who decided before it began decided about it."""

    SAID = 0
    USED = 1


@dataclass(frozen=True)
class Said:
    """One decision."""

    at: datetime
    record_version: int
    """Version of the record at which it was written: of two of the same moment the later one counts."""
    counts: bool
    """It is what the rule asks for; False = it says something else, and takes back what was said before it."""


def standing(decisions: Iterable[Said], used_at: Iterable[datetime]) -> int:
    """Those that count, each used once at most.

    What happened at a moment of `used_at` uses one that stood then, else the first that comes after it, as in an
    emergency, and a later word takes that back no more: who agreed to a first operation and refuses a second one
    agreed to the first.
    """
    said = [(each.at, _Turn.SAID, each.record_version, each.counts) for each in decisions]
    used = [(at, _Turn.USED, 0, False) for at in used_at]
    spent = free = owing = 0
    for _, turn, _, counts in sorted(said + used):
        if turn is _Turn.SAID and not counts:
            free = 0
        elif turn is _Turn.SAID and not owing:
            free += 1
        elif turn is _Turn.SAID:
            spent, owing = spent + 1, owing - 1
        elif free:
            spent, free = spent + 1, free - 1
        else:
            owing += 1
    return spent + free
