"""Whether the clock is right: the record's own pack and state say which deadline there is, and whether it was kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.domain.command_guards import CommandGuard
from ledger.domain.deadlines import Deadline, deadlines
from ledger.domain.decision import Facts
from ledger.domain.keeping_state import Missed
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.state import RecordState


def deadline_named(command: Any, record: RecordState, facts: Facts) -> Deadline | None:
    """The deadline that a command names."""
    return next((each for each in deadlines(record, facts.pack, facts.now) if _is(each, command)), None)


def report_named(command: Any, record: RecordState) -> Missed | None:
    """The report of a missed deadline that a command names."""
    return next((each for each in record.overlays.missed if _is(each, command)), None)


def _is(each: Deadline | Missed, command: Any) -> bool:
    """By its due time too: a rule that repeats has many."""
    return (each.rule, each.subject_id, each.due_at) == (command.rule, command.subject_id, command.due_at)


def _none_set(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    if deadline_named(command, record, facts) is None:
        yield Violation("rule", DEADLINE_SET.rule, DEADLINE_SET.demand)


def _not_missed(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    named = deadline_named(command, record, facts)
    if named is not None and not named.missed(facts.now):
        yield Violation("rule", DEADLINE_MISSED.rule, DEADLINE_MISSED.demand)


def _not_reported(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    if report_named(command, record) is None:
        yield Violation("rule", REPORT_KNOWN.rule, REPORT_KNOWN.demand)


def _still_missed(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    named = deadline_named(command, record, facts)
    if report_named(command, record) is not None and named is not None and named.missed(facts.now):
        yield Violation("rule", REPORT_FALSE.rule, REPORT_FALSE.demand)


DEADLINE_SET = CommandGuard(
    "NO_SUCH_DEADLINE", "the record's pack sets such a deadline", _none_set, RefusalKind.NOT_FOUND
)
DEADLINE_MISSED = CommandGuard("NOT_MISSED", "the deadline is over, and was not kept", _not_missed)
REPORT_KNOWN = CommandGuard(
    "NOT_REPORTED", "such a deadline was reported as missed", _not_reported, RefusalKind.NOT_FOUND
)
REPORT_FALSE = CommandGuard("STILL_MISSED", "the deadline turned out not to be missed", _still_missed)
