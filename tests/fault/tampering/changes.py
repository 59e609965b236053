"""The five changes, over any set of named bytes: what is generated for a cell of the matrix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from itertools import combinations
from random import Random
from typing import TypeVar

T = TypeVar("T")
FLIPS = 4
"""Flipped bits that a cell tries, each at a place of its own."""
TRIES = 2
"""Places that a cell tries for every other change."""
Items = Mapping[str, bytes]
Changed = dict[str, bytes | None]
"""New bytes by name; None for what is taken away."""


class Change(Enum):
    """The columns of the matrix."""

    FLIP = "flip a bit"
    DELETE = "delete"
    SWAP = "swap two"
    REPLAY = "replay an old one"
    TRUNCATE = "truncate"


def changes(change: Change, items: Items, older: Items, dice: Random) -> Iterator[Changed]:
    """Generated changes of this kind; at least one, or the declaration says more than there is."""
    names = sorted(name for name, data in items.items() if data)
    match change:
        case Change.FLIP:
            for name in dice.choices(names, k=FLIPS):
                yield {name: flipped(items[name], dice)}
        case Change.DELETE:
            yield from (Changed({name: None}) for name in _some(names, dice))
        case Change.SWAP:
            pairs = [pair for pair in combinations(_some(names, dice, 24), 2) if items[pair[0]] != items[pair[1]]]
            yield from (Changed({one: items[two], two: items[one]}) for one, two in _some(pairs, dice))
        case Change.REPLAY:
            old = [name for name in names if older.get(name, items[name]) != items[name]]
            yield from (Changed({name: older[name]}) for name in _some(old, dice))
        case Change.TRUNCATE:
            for name in _some(names, dice):
                yield {name: items[name][: dice.randrange(len(items[name]))]}


def flipped(data: bytes, dice: Random) -> bytes:
    """One bit of it flipped."""
    at = dice.randrange(len(data))
    return data[:at] + bytes((data[at] ^ 1 << dice.randrange(8),)) + data[at + 1 :]


def _some(found: list[T], dice: Random, most: int = TRIES) -> list[T]:
    return dice.sample(found, min(most, len(found)))
