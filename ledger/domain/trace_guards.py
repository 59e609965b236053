"""Guards on where retracted entries were recorded again: nothing that was written about somebody gets lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ledger.domain.command_guards import CommandGuard
from ledger.domain.decision import Facts
from ledger.domain.entry_traces import EntryPlace, EntryTrace
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.state import Entry, RecordState
from ledger.domain.values import EntryState, Phase

RECORDS_MAX = 20
"""Other records that the traces of one record may name: each is read for the decision."""
_WRONG = frozenset({Phase.VOIDED, Phase.ENTERED_IN_ERROR, Phase.DESTROYED})


def places(command: Any) -> Iterator[tuple[str, EntryPlace]]:
    """Where a command says that entries were recorded again, each with its field."""
    if getattr(command, "recorded_again", None) is not None:
        yield "recorded_again", command.recorded_again
    for index, trace in enumerate(getattr(command, "traces", ())):
        if trace.recorded_again is not None:
            yield f"traces[{index}].recorded_again", trace.recorded_again


def places_by_entry(command: Any, record: RecordState) -> dict[Any, EntryPlace]:
    """Where each entry was recorded again, as this command says or as was said before."""
    said = {each.entry_id: each for each in command.traces}
    before = {each.entry_id: EntryTrace(each.entry_id, each.recorded_again) for each in record.entries.values()}
    return {key: each.recorded_again for key, each in {**before, **said}.items() if each.recorded_again is not None}


def _stands(place: EntryPlace, facts: Facts) -> bool:
    other = facts.traced.get(place.record_id)
    entry = other.entries.get(place.entry_id) if other else None
    return entry is not None and not entry.retracted and entry.state is not EntryState.DRAFT


def _not_there(command: Any, _: RecordState, facts: Facts) -> Iterable[Violation]:
    for field, place in places(command):
        if place.record_id == command.record_id or not _stands(place, facts):
            yield Violation(field, RECORDED_THERE.rule, RECORDED_THERE.demand)


def _unknown(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    for index, trace in enumerate(command.traces):
        if trace.entry_id not in record.entries:
            yield Violation(f"traces[{index}].entry_id", TRACED_KNOWN.rule, TRACED_KNOWN.demand)


def _unclear(command: Any, _: RecordState, __: Facts) -> Iterable[Violation]:
    seen: set[Any] = set()
    for index, trace in enumerate(command.traces):
        one_of_two = (trace.recorded_again is None) == bool(trace.nowhere_reason.strip())
        if not one_of_two or trace.entry_id in seen:
            yield Violation(f"traces[{index}]", ONE_TRACE.rule, ONE_TRACE.demand)
        seen.add(trace.entry_id)


def _two_in_one(command: Any, _: RecordState, __: Facts) -> Iterable[Violation]:
    blank = bool(command.nowhere_reason) and not command.nowhere_reason.strip()
    if blank or (command.recorded_again is not None and command.nowhere_reason):
        yield Violation("nowhere_reason", RETRACTED_TRACE.rule, RETRACTED_TRACE.demand)


def _untraced(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    said = {each.entry_id for each in command.traces}
    for entry in record.entries.values():
        if entry.entry_id not in said and not _traced_before(entry, facts):
            yield Violation(f"entries[{entry.entry_id}]", ALL_TRACED.rule, ALL_TRACED.demand)


def _traced_before(entry: Entry, facts: Facts) -> bool:
    # What was said of it counts for as long as it is so: what was retracted there since has to be found anew.
    return bool(entry.nowhere_reason) or (entry.recorded_again is not None and _stands(entry.recorded_again, facts))


def _right_named(command: Any, record: RecordState, _: Facts) -> bool:
    named = {each.record_id for each in places_by_entry(command, record).values()}
    return not named if command.correct_record_id is None else not named or command.correct_record_id in named


def _right_stands(command: Any, _: RecordState, facts: Facts) -> bool:
    right = facts.traced.get(command.correct_record_id) if command.correct_record_id else None
    if command.correct_record_id in (None, command.record_id):
        return True  # the one is right where nothing was recorded again, the other is refused by itself
    return right is not None and right.phase not in _WRONG and not right.archiving.in_error


def _check(rule: str, demand: str, field: str, holds: Callable[[Any, RecordState, Facts], bool]) -> CommandGuard:
    def faults(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
        return () if holds(command, record, facts) else (Violation(field, rule, demand),)

    return CommandGuard(rule, demand, faults)


RECORDED_THERE = CommandGuard(
    "NOT_RECORDED_THERE",
    "another record of the hospital holds that entry, no draft and not retracted",
    _not_there,
)
TRACED_KNOWN = CommandGuard("UNKNOWN_ENTRY", "no such entry in this record", _unknown, RefusalKind.NOT_FOUND)
ONE_TRACE = CommandGuard(
    "TRACE_UNCLEAR", "of each entry once: where it was recorded again, or why nowhere", _unclear, RefusalKind.INVALID
)
RETRACTED_TRACE = CommandGuard(
    "TRACE_UNCLEAR",
    "where it was recorded again, or why nowhere, or neither of the two",
    _two_in_one,
    RefusalKind.INVALID,
)
ALL_TRACED = CommandGuard(
    "NOT_TRACED", "of every entry it is said where it was recorded again, and stands, or why nowhere", _untraced
)
RIGHT_RECORD_NAMED = _check(
    "RIGHT_RECORD_NOT_NAMED",
    "the right record, one of those in which entries were recorded again; none alone where every entry is nowhere",
    "correct_record_id",
    _right_named,
)
RIGHT_RECORD_STANDS = _check(
    "NOT_A_RIGHT_RECORD",
    "the right record is there, neither void nor destroyed nor in error itself",
    "correct_record_id",
    _right_stands,
)
DECLARED = (RECORDED_THERE, TRACED_KNOWN, ONE_TRACE, ALL_TRACED, RIGHT_RECORD_NAMED, RIGHT_RECORD_STANDS)
"""What a declaration of a record in error demands of its traces."""
