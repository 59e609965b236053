"""What is seen to be published beside a backup, and whether the backup reaches it: a ledger never goes back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ledger.backup.manifest import Ledger
from ledger.backup.walked_ledger import WalkedLedger

WAYS_ON = (
    "ways on: a newer backup; or `ledger restore --for-repair`, which puts this one in place so that it takes no "
    "commands, then `ledger repair refill` from the log that lives on, or, where the bytes are lost for good, "
    "`ledger repair succeed` (docs/operations.md)"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that somebody was shown of a ledger."""

    source: str
    """Where it was seen, as an operator knows it."""
    hospital: str
    size: int
    """Events that it covers: the last position."""
    root: bytes = b""
    """Of the tree of that size; empty where the source tells none."""
    leaf: bytes = b""
    """Hash of the event at that position; empty where the source tells none."""


def sizes_of(seen: Iterable[Seen], hospital: str) -> set[int]:
    """Where the tree has to be known."""
    return {each.size for each in seen if each.hospital == hospital}


def missing(seen: Iterable[Seen], ledger: Ledger) -> list[str]:
    """What was published beyond the backup, source by source, by position; empty where nothing was."""
    head = ledger.head_position
    return [
        f"{each.hospital}: positions {head + 1} to {each.size} are missing: {each.source} has them, "
        f"the backup ends at {head}"
        for each in seen
        if each.hospital == ledger.hospital and each.size > head
    ]


def other_history(seen: Iterable[Seen], walked: WalkedLedger) -> list[str]:
    """Which sources know another ledger under this origin; empty where none does."""
    return list(_differing(seen, walked))


def _differing(seen: Iterable[Seen], walked: WalkedLedger) -> Iterator[str]:
    for each in seen:
        if each.hospital != walked.ledger.hospital or each.size > walked.ledger.head_position:
            continue
        stood = walked.at[each.size]
        if (each.root and each.root != stood.root) or (each.leaf and each.leaf != stood.leaf):
            yield f"{each.hospital}: {each.source} knows another history up to position {each.size}"
