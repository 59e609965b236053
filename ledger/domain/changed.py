"""A frozen value with other values in some of its fields, made without looking at every field again."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")


def changed(value: T, **changes: Any) -> T:
    """As `dataclasses.replace`, for classes without slots that work nothing out when they are made.

    A state of forty fields is made anew with every event: this takes a tenth of the time. TypeError for a field that
    the class does not have.
    """
    before = vars(value)
    if not changes.keys() <= before.keys():
        raise TypeError(f"no fields of {type(value).__name__}: {sorted(changes.keys() - before.keys())}")
    made = object.__new__(type(value))
    vars(made).update(before | changes)
    return made
