"""Which mandatory entries a record lacks, and how many of each: what was accepted as never written counts as one.

They are about its patient: nothing that is written about a newborn of it stands in their place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ledger.domain.coded_field import CodedField
from ledger.domain.mandatory_entries import CONSULTATION, MandatoryRule, ShortStay
from ledger.domain.standing_decisions import Said, standing
from ledger.domain.state import Entry, RecordState
from ledger.domain.subjects import about, subject_of
from ledger.domain.values import EntryState

FINAL = frozenset({EntryState.SIGNED, EntryState.COUNTERSIGNED})
"""States in which somebody qualified has signed the last version."""


def missing_entries(
    record: RecordState, rules: tuple[MandatoryRule, ...], short: ShortStay | None = None
) -> Iterator[tuple[str, int, MandatoryRule]]:
    """Each template that is missing, how many a rule asks for, and the first rule that does."""
    accepted, signed = Counter(record.archiving.never_written), _signed(record)
    out_of_place = short.out_of_place(record) if short else frozenset[str]()
    told: set[str] = set()
    for rule in rules:
        if not rule.applies_to(record):
            continue
        times = rule.times(record)
        there = _there(record, rule, signed) + accepted
        # A page of codes is that of the stay, however short: it stands in no other's place.
        barred = frozenset[str]() if rule.field else out_of_place
        whole = frozenset(each for each, number in there.items() if number >= times and each not in barred)
        for template in rule.missing(whole):
            if template not in told:
                yield template, times, rule
            told.add(template)


def _there(record: RecordState, rule: MandatoryRule, signed: Counter[str]) -> Counter[str]:
    """How many entries of each template count for the rule, of those that are signed."""
    # A record has thousands of entries: most rules count the same ones.
    if not rule.field and rule.about is None and rule.latest is None and rule.only_if != CONSULTATION:
        return signed
    looked_at = [each for each in _asked(record, rule) if _counts(each, rule)]
    if rule.latest is not None:
        return Counter({each: _standing(record, rule, rule.latest, each, looked_at) for each in rule.templates})
    return Counter(each.last.content.template for each in looked_at if each.state in FINAL)


def _signed(record: RecordState) -> Counter[str]:
    return Counter(each.last.content.template for each in about(record) if each.state in FINAL)


def _asked(record: RecordState, rule: MandatoryRule) -> Iterator[Entry]:
    """Those about the patient, and a consultation's own answer, whoever the consultant was asked about."""
    yield from about(record)
    if rule.only_if == CONSULTATION:
        answers = {each.entry_id for each in record.consultations.values()}
        born = (each for each in record.entries.values() if each.entry_id in answers)
        yield from (each for each in born if subject_of(record, each) is not None)


def _counts(entry: Entry, rule: MandatoryRule) -> bool:
    if rule.about is not None and not rule.about.held_by(entry.last.content):
        return False
    return not rule.field or _holds_code(entry, rule.field)


def _holds_code(entry: Entry, field: str) -> bool:
    fields = (each for section in entry.last.content.sections for each in section.fields)
    return any(each.code == field and each.coding is not None for each in fields)


def _standing(
    record: RecordState, rule: MandatoryRule, asked: CodedField, template: str, looked_at: Iterable[Entry]
) -> int:
    said = (each for each in looked_at if each.last.content.template == template and _is_heard(each, asked))
    return standing((_decision(each, asked) for each in said), rule.happened(record))


def _decision(entry: Entry, asked: CodedField) -> Said:
    return Said(asked.since(entry), entry.last.record_version, asked.held_by(entry.last.content))


def _is_heard(entry: Entry, asked: CodedField) -> bool:
    """A yes counts once somebody qualified has signed it; who says no is heard whoever wrote it down."""
    refused = not entry.retracted and entry.state is not EntryState.DRAFT and not asked.held_by(entry.last.content)
    return refused or entry.state in FINAL
