"""The origins of one ledger, `<name>/<n>`: a log that ended is followed by the one of the next number."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

LOG_SUCCEEDED = "ledger.v1.LogSucceeded"
"""Stored name of the event with which a successor begins; nowhere else does the origin of a ledger's events change."""
ORIGINS_REMEMBERED = 1024
"""It is asked for every event that is sealed or opened, of few hospitals."""
_ORIGIN = re.compile(r"(?P<name>.+)/(?P<number>[1-9][0-9]{0,8})")


class Succession(NamedTuple):
    """Where a log goes on for another whose last events were lost."""

    position: int
    """Of the LogSucceeded; what survived lies below it."""
    ended: str
    """The origin that ended; empty where the events before it were not looked at."""
    successor: str


def successor_of(origin: str) -> str:
    """The origin that may follow an origin; ValueError for text of another form."""
    found = _ORIGIN.fullmatch(origin)
    if found is None:
        raise ValueError("not an origin with a number at its end")
    return f"{found['name']}/{int(found['number']) + 1}"


def is_successor(origin: str, before: str) -> bool:
    """Whether an origin is the very next one of the same ledger."""
    return _place_of(before) is not None and _place_of(origin) == _next(before)


def is_at_or_after(origin: str, before: str) -> bool:
    """Whether an origin is `before` itself or a later one of the same ledger."""
    if origin == before:
        return True
    one, other = _place_of(origin), _place_of(before)
    return one is not None and other is not None and one[0] == other[0] and one[1] > other[1]


@lru_cache(maxsize=ORIGINS_REMEMBERED)
def first_of(origin: str) -> str:
    """The ledger's first origin, by which whatever belongs to the ledger and to no one log of it is kept."""
    found = _ORIGIN.fullmatch(origin)
    return f"{found['name']}/1" if found else origin


def with_ended(origin: str) -> list[str]:
    """An origin and those before it of its ledger, the newest first."""
    found = _place_of(origin)
    return [f"{found[0]}/{number}" for number in range(found[1], 0, -1)] if found else [origin]


def number_of(origin: str) -> int:
    """Which log of its ledger it is, from 1; 1 for text of another form."""
    found = _place_of(origin)
    return found[1] if found else 1


def _place_of(origin: str) -> tuple[str, int] | None:
    found = _ORIGIN.fullmatch(origin)
    return (found["name"], int(found["number"])) if found else None


def _next(origin: str) -> tuple[str, int] | None:
    found = _place_of(origin)
    return (found[0], found[1] + 1) if found else None
