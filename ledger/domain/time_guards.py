"""Guards on the times of a stay, said or corrected: they are there, they change, and what happened stays in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from ledger.domain.command_guards import NAMED_FOR_CHANGE, CommandGuard, role_allowed
from ledger.domain.deadlines import signed_at
from ledger.domain.decision import Facts
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.state import RecordState
from ledger.domain.state_guards import NOT_FULLY_SEALED, NOT_HELD, StateGuard
from ledger.domain.values import TimeOf

_OF_STAY = frozenset({TimeOf.CARE_START, TimeOf.MOVE, TimeOf.CARE_END})
_OF_ROLE = role_allowed("correct_time")


def time_of(command: Any, record: RecordState) -> datetime | None:
    """What counts until now of what the command names; None where the record has no such time."""
    match command.of:
        case TimeOf.CARE_START:
            return record.started_at
        case TimeOf.CARE_END:
            return record.ended_at
        case TimeOf.MOVE:
            index: int = command.move - 1
            return record.moves[index].moved_at if 0 <= index < len(record.moves) else None
        case TimeOf.ENTRY:
            entry = record.entries.get(command.entry_id) if command.entry_id else None
            return entry.happened_at if entry else None
        case _:
            asked = record.consultations.get(command.consultation_id) if command.consultation_id else None
            if asked is None:
                return None
            return asked.requested_at if command.of is TimeOf.CONSULTATION_REQUEST else asked.arrived_at


def _unknown(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    if time_of(command, record) is None:
        yield Violation("of", "UNKNOWN_TIME", TIME_KNOWN.demand)


def _same(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    if time_of(command, record) == command.corrected_at:
        yield Violation("corrected_at", "SAME_TIME", TIME_CHANGES.demand)


def _out_of_order(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    if _comes_first(command, record) or _put_off(command, record):
        yield Violation("corrected_at", "OUT_OF_ORDER", IN_ORDER.demand)
        return
    if command.of not in _OF_STAY or time_of(command, record) is None:
        return
    to = command.corrected_at
    times = [record.started_at, *(each.moved_at for each in record.moves), record.ended_at]
    place: int = {TimeOf.CARE_START: 0, TimeOf.CARE_END: len(times) - 1}.get(command.of) or command.move
    early = any(each is not None and to < each for each in times[:place])
    if early or any(each is not None and each < to for each in times[place + 1 :]):
        yield Violation("corrected_at", "OUT_OF_ORDER", IN_ORDER.demand)


def _ends_before_it_began(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    begun, ended_at = record.started_at, command.ended_at or facts.meta().occurred_at
    # What an earlier system holds is taken over as it is, its mistakes included.
    if begun is not None and ended_at < begun and not facts.context.historical:
        yield Violation("ended_at", ENDS_AFTER_START.rule, ENDS_AFTER_START.demand)


def _moves_back(_: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    moved_at = facts.meta().occurred_at
    before = [record.started_at, *(each.moved_at for each in record.moves)]
    if any(each is not None and moved_at < each for each in before):
        yield Violation("context.occurred_at", MOVES_ON.rule, MOVES_ON.demand)


def _ends_before_a_move(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    ended_at = command.ended_at or facts.meta().occurred_at
    if not facts.context.historical and any(ended_at < each.moved_at for each in record.moves):
        yield Violation("ended_at", ENDS_AFTER_MOVES.rule, ENDS_AFTER_MOVES.demand)


def _comes_first(command: Any, record: RecordState) -> bool:
    """Whether what followed a request, or an arrival, would come before it."""
    asked = record.consultations.get(command.consultation_id) if command.consultation_id else None
    if asked is None:
        return False
    # Who came or answered before the request has said why, and stays the first.
    then = [
        at
        for at in (asked.arrived_at, asked.answered_at, asked.withdrawn_at)
        if at is not None and at >= asked.requested_at
    ]
    if command.of is TimeOf.CONSULTATION_REQUEST:
        return any(command.corrected_at > at for at in then)
    return command.of is TimeOf.CONSULTATION_ARRIVAL and bool(then) and command.corrected_at < asked.requested_at


def _put_off(command: Any, record: RecordState) -> bool:
    """Whether care would begin only after somebody wrote of it, or asked a consultant: that takes no miss away."""
    began = record.started_at
    # A start that lies after them already goes back by any step.
    if command.of is not TimeOf.CARE_START or began is None or command.corrected_at <= began:
        return False
    return any(at < command.corrected_at for at in _care_shown(record))


def _care_shown(record: RecordState) -> Iterator[datetime]:
    """When care is known to have gone on: entries that stand were written, whoever they are about, and help asked."""
    for entry in record.entries.values():
        at = signed_at(entry)
        # What an earlier system wrote came into the ledger whenever it was imported.
        if at is not None and not entry.retracted and not entry.versions[0].historical:
            yield at
    yield from (each.requested_at for each in record.consultations.values() if each.withdrawn_at is None)


def _while_free(guard: StateGuard) -> CommandGuard:
    """The demand on the record for every time but an entry's, which its own hold and seal keep."""

    def faults(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
        if command.of is not TimeOf.ENTRY:
            yield from guard.faults(record, facts)

    return CommandGuard(guard.rule, f"of another time than an entry's: {guard.demand}", faults)


def _unnamed(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    # A request to reopen names entries and templates: no other time could ever be put right in an archived case.
    if command.of is TimeOf.ENTRY:
        yield from NAMED_FOR_CHANGE.faults(command, record, facts)


def _role_fault(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    # An entry's time is the entry's: its author and who stands above put it right.
    if command.of is not TimeOf.ENTRY:
        yield from _OF_ROLE.faults(command, record, facts)


TIME_KNOWN = CommandGuard(
    "UNKNOWN_TIME", "the record has such a start, end, move, entry, request or arrival", _unknown, RefusalKind.NOT_FOUND
)
ENDS_AFTER_START = CommandGuard(
    "BEFORE_START", "care cannot end before it began", _ends_before_it_began, RefusalKind.INVALID
)
ENDS_AFTER_MOVES = CommandGuard(
    "OUT_OF_ORDER", "care ends after the last move", _ends_before_a_move, RefusalKind.INVALID
)
MOVES_ON = CommandGuard(
    "OUT_OF_ORDER", "a move follows the start of care and every move before it", _moves_back, RefusalKind.INVALID
)
TIME_CHANGES = CommandGuard("SAME_TIME", "another time than the one that counts", _same)
IN_ORDER = CommandGuard(
    "OUT_OF_ORDER",
    "care begins before the first move, the moves follow each other, it ends after; a start moves on past no signed "
    "entry and no consultation; and an arrival follows its request",
    _out_of_order,
)
NAMED_ENTRY = CommandGuard(
    NAMED_FOR_CHANGE.rule, "of an entry: the reopening names it; other times stand open in every window", _unnamed
)
ROLE_CORRECTS = CommandGuard(
    _OF_ROLE.rule, f"of another time than an entry's: {_OF_ROLE.demand}", _role_fault, asks_roles=True
)
FREE_OF_HOLDS, FREE_OF_SEALS = _while_free(NOT_HELD), _while_free(NOT_FULLY_SEALED)
