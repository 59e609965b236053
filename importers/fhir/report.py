"""What became of every line of the files: counts that add up, and whether anything was unexpected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What became of one line; in the order in which one of several on the same line wins."""

    RECORDED = "recorded"
    SAME = "same"
    AMENDED = "amended"
    LINKED = "linked"
    LEFT_OUT = "left out"
    REFUSED = "refused"


IN_FUTURE = "TIME_IN_FUTURE"
"""Reason: the item's time lies after the moment of the import."""
END_IN_FUTURE = "END_IN_FUTURE"
"""Reason: the encounter is recorded, its end lies after the moment of the import and is not."""
RECORD_IN_FUTURE = "RECORD_IN_FUTURE"
"""Reason: the item's encounter starts after the moment of the import."""
PATIENT_REFUSED = "PATIENT_REFUSED"
RECORD_REFUSED = "RECORD_REFUSED"

_FORESEEN = frozenset({IN_FUTURE, END_IN_FUTURE, RECORD_IN_FUTURE})


@dataclass
class Report:
    """Counts of an import, by resource type."""

    lines: Counter[str]
    """Lines of the files."""
    counts: Counter[tuple[str, Outcome]] = field(default_factory=Counter[tuple[str, Outcome]])
    reasons: Counter[tuple[str, Outcome, str]] = field(default_factory=Counter[tuple[str, Outcome, str]])
    """Why lines were left out or refused."""
    subjects_unresolved: int = 0
    """Lines whose patient reference leads nowhere, placed by their encounter."""
    commands: int = 0
    """Commands that were answered, refusals included."""
    events: int = 0
    """Events that this import added."""
    entries: int = 0
    """Entries that were sent: one for each document and each group."""
    alike: list[tuple[str, tuple[str, ...]]] = field(default_factory=list[tuple[str, tuple[str, ...]]])
    """Patients now registered, each with earlier ones of the same name, birth date and gender (ids of the ledger)."""
    still_twice: int = 0
    """Entries that go on showing an item which the source moved to another entry: the record takes no change."""
    position: int = 0
    """Last position that this import wrote; 0 = none."""
    seconds: float = 0.0

    def settle(self, types: Iterable[str], outcome: Outcome, reason: str = "") -> None:
        """Says what became of lines of these types."""
        for type_ in types:
            self.counts[type_, outcome] += 1
            if reason:
                self.reasons[type_, outcome, reason] += 1

    def total(self, outcome: Outcome) -> int:
        """Lines with this outcome, all types."""
        return sum(count for (_, each), count in self.counts.items() if each is outcome)

    def lines_total(self) -> int:
        """Lines of all files."""
        return self.lines.total()

    def adds_up(self) -> bool:
        """Whether every line of every type has exactly one outcome."""
        settled = Counter[str]()
        for (type_, _), count in self.counts.items():
            settled[type_] += count
        return settled == self.lines

    def unexpected(self) -> int:
        """Lines that were refused for another reason than a time in the future."""
        refused = (
            (reason, count) for (_, outcome, reason), count in self.reasons.items() if outcome is Outcome.REFUSED
        )
        return sum(count for reason, count in refused if reason not in _FORESEEN)

    def good(self) -> bool:
        """Nothing unexpected, and the counts add up."""
        return self.adds_up() and not self.unexpected()
