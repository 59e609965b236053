"""Which mandatory entries a record lacks, and how many of each: what was accepted as never written counts as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ledger.domain.mandatory_entries import MandatoryRule, ShortStay
from ledger.domain.state import RecordState
from ledger.domain.values import EntryContent, EntryState

FINAL = frozenset({EntryState.SIGNED, EntryState.COUNTERSIGNED})
"""States in which somebody qualified has signed the last version."""


def missing_entries(
    record: RecordState, rules: tuple[MandatoryRule, ...], short: ShortStay | None = None
) -> Iterator[tuple[str, int, MandatoryRule]]:
    """Each template that is missing, how many a rule asks for, and the first rule that does."""
    accepted = Counter(record.archiving.never_written)
    settled = _signed(record) + accepted
    for template in short.out_of_place(record) if short else ():
        del settled[template]
    told: set[str] = set()
    for rule in rules:
        if not rule.applies_to(record):
            continue
        times = rule.times(record)
        there = _coded(record, rule.field) + accepted if rule.field else settled
        whole = frozenset(template for template, number in there.items() if number >= times)
        for template in rule.missing(whole):
            if template not in told:
                yield template, times, rule
            told.add(template)


def lacking(record: RecordState, rules: tuple[MandatoryRule, ...], template: str) -> int:
    """How many entries of the template are asked for and not there, whatever was accepted; at least none."""
    asked = (rule.times(record) for rule in rules if template in rule.templates and rule.applies_to(record))
    return max(0, max(asked, default=0) - _signed(record)[template])


def _coded(record: RecordState, field: str) -> Counter[str]:
    """Those that hold a code in the field."""
    final = (entry.last.content for entry in record.entries.values() if entry.state in FINAL)
    return Counter(each.template for each in final if _holds_code(each, field))


def _holds_code(content: EntryContent, field: str) -> bool:
    fields = (each for section in content.sections for each in section.fields)
    return any(each.code == field and each.coding is not None for each in fields)


def _signed(record: RecordState) -> Counter[str]:
    return Counter(entry.last.content.template for entry in record.entries.values() if entry.state in FINAL)
