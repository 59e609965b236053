"""Which note keeps which demand, where each event owes a note of its own: one note never keeps two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

ANY_TIME = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Owed:
    """A note that is owed."""

    opens: datetime
    """Notes from then on can keep it."""
    due_at: datetime


def kept_by(owed: Sequence[Owed], notes: Iterable[datetime]) -> list[datetime | None]:
    """For each owed note when it came. A note keeps the oldest demand that it is in time for, else the oldest missed.

    In the order of the notes: what a later one does takes nothing back from an earlier.
    """
    kept: list[datetime | None] = [None] * len(owed)
    for note in sorted(notes):
        left = [index for index, each in enumerate(owed) if kept[index] is None and each.opens <= note]
        left.sort(key=lambda index: owed[index].due_at)
        in_time = (index for index in left if note.replace(microsecond=0) <= owed[index].due_at)
        taken = next(in_time, left[0] if left else None)
        if taken is not None:
            kept[taken] = note
    return kept
