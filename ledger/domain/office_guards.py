"""Guards on paper, and on what patients ask for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.domain.command_guards import CommandGuard, is_person
from ledger.domain.decision import Facts
from ledger.domain.keeping_values import RequestKind
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.retention import term_over
from ledger.domain.state import RecordState


def is_early_erasure(request_id: Any, record: RecordState, facts: Facts) -> bool:
    """Whether the request is one for erasure, and the record's term runs."""
    request = record.overlays.requests.get(request_id)
    return request is not None and request.kind is RequestKind.ERASURE and not term_over(record, facts)


def _erased_early(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    if command.granted and is_early_erasure(command.request_id, record, facts):
        yield Violation("granted", NOT_ERASED_EARLY.rule, NOT_ERASED_EARLY.demand)


def _checked_by_the_same(command: Any, _: RecordState, __: Facts) -> Iterable[Violation]:
    operator, checker = command.operator, command.checker
    if operator is not None and checker is not None and operator.id == checker.id:
        yield Violation("checker", CHECKED_BY_ANOTHER.rule, CHECKED_BY_ANOTHER.demand)


def _scanned_by_programs(command: Any, _: RecordState, __: Facts) -> Iterable[Violation]:
    for name in ("operator", "checker"):
        person = getattr(command, name)
        if person is not None and not is_person(person):
            yield Violation(f"{name}.role", SCANNED_BY_PERSONS.rule, SCANNED_BY_PERSONS.demand)


def _paper_unnamed(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    if record.overlays.papers and "paper" not in command.covers:
        yield Violation("covers", PAPER_NAMED.rule, PAPER_NAMED.demand)


def _not_restricted(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    standing = record.overlays.restrictions
    if command.request_id is not None and standing and command.request_id not in standing:
        yield Violation("request_id", RESTRICTED_FOR_IT.rule, RESTRICTED_FOR_IT.demand)


def _paper_gone(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    paper = record.overlays.papers.get(command.scan_id)
    if paper is not None and not paper.is_here:
        yield Violation("scan_id", PAPER_HERE.rule, PAPER_HERE.demand)


NOT_ERASED_EARLY = CommandGuard("RETENTION_TERM", "nothing is erased inside the retention term", _erased_early)
CHECKED_BY_ANOTHER = CommandGuard(
    "SAME_PERSON", "another person compares scan and paper", _checked_by_the_same, RefusalKind.INVALID
)
SCANNED_BY_PERSONS = CommandGuard(
    "NOT_A_PERSON", "persons scan and compare, no program", _scanned_by_programs, RefusalKind.INVALID
)
PAPER_HERE = CommandGuard("PAPER_GONE", "the paper was neither destroyed nor given back", _paper_gone)
PAPER_NAMED = CommandGuard("PAPER_NOT_NAMED", "the list says what happens to the paper", _paper_unnamed)
RESTRICTED_FOR_IT = CommandGuard("NOT_RESTRICTED", "use is restricted for this request", _not_restricted)
