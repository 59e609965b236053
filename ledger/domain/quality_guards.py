"""What quality control may say: defects of the pack's items, and a score that the defects make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ledger.domain.command_guards import CommandGuard
from ledger.domain.decision import Facts
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.state import RecordState

DEFECTS_MAX = 500
"""Defects that one assessment names."""


def _codes_unknown(command: Any, _: RecordState, facts: Facts) -> Iterable[Violation]:
    for index, defect in enumerate(command.defects):
        if defect.code not in facts.pack.quality.items:
            yield Violation(f"defects[{index}].code", "UNKNOWN_DEFECT", DEFECTS_KNOWN.demand)


def _entries_unknown(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    for index, defect in enumerate(command.defects):
        if defect.entry_id is not None and defect.entry_id not in record.entries:
            yield Violation(f"defects[{index}].entry_id", "UNKNOWN_ENTRY", DEFECTS_OF_ENTRIES.demand)


def _named_twice(command: Any, _: RecordState, __: Facts) -> Iterable[Violation]:
    # The same defect counted twice would cost the department twice.
    seen: Counter[Any] = Counter()
    for index, defect in enumerate(command.defects):
        seen[defect] += 1
        if seen[defect] > 1:
            yield Violation(f"defects[{index}]", "REPEATED_DEFECT", DEFECTS_ONCE.demand)


def _too_many(command: Any, _: RecordState, __: Facts) -> Iterable[Violation]:
    if len(command.defects) > DEFECTS_MAX:
        yield Violation("defects", "TOO_MANY", DEFECTS_FEW.demand)


def _disagrees(command: Any, _: RecordState, facts: Facts) -> Iterable[Violation]:
    # 0 = the client leaves the score to the ledger; a computed 0 never passes, so that nothing is lost by it.
    computed = facts.pack.quality.score(command.defects)
    if command.score not in (0, computed):
        yield Violation("score", "SCORE_DISAGREES", f"the defects make {computed}")


def _below_threshold(command: Any, _: RecordState, facts: Facts) -> Iterable[Violation]:
    rules = facts.pack.quality
    if (score := rules.score(command.defects)) < rules.pass_from:
        yield Violation("defects", "SCORE_TOO_LOW", f"the defects make {score}; a record passes with {rules.pass_from}")


def _vetoed(command: Any, _: RecordState, facts: Facts) -> Iterable[Violation]:
    for index, defect in enumerate(command.defects):
        if facts.pack.quality.vetoes(defect):
            yield Violation(f"defects[{index}].code", "VETO", NO_VETO.demand)


DEFECTS_KNOWN = CommandGuard(
    "UNKNOWN_DEFECT", "every defect names a quality item of the pack", _codes_unknown, RefusalKind.INVALID
)
DEFECTS_OF_ENTRIES = CommandGuard(
    "UNKNOWN_ENTRY", "a defect names an entry of this record, or none", _entries_unknown, RefusalKind.NOT_FOUND
)
DEFECTS_ONCE = CommandGuard("REPEATED_DEFECT", "the same defect stands once", _named_twice, RefusalKind.INVALID)
DEFECTS_FEW = CommandGuard("TOO_MANY", f"at most {DEFECTS_MAX} defects", _too_many, RefusalKind.INVALID)
SCORE_AGREES = CommandGuard(
    "SCORE_DISAGREES", "a score that is sent is the one that the defects make", _disagrees, RefusalKind.INVALID
)
SCORE_ENOUGH = CommandGuard(
    "SCORE_TOO_LOW", "the defects leave the score with which the pack lets a record pass", _below_threshold
)
NO_VETO = CommandGuard("VETO", "no record passes with a defect of this item", _vetoed)
DEFECTS = (DEFECTS_KNOWN, DEFECTS_OF_ENTRIES, DEFECTS_ONCE, DEFECTS_FEW)
"""What holds of the defects of every assessment."""
