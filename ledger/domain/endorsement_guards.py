"""Guards on what a second person endorses, and on acts that take two: that person said so beforehand, by an own login.

Whoever stands on the other side of a seal has no login, and stays named by the hospital's person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ledger.domain.command_guards import TRAINEE, CommandGuard, is_person
from ledger.domain.course_commands import EndorseAct
from ledger.domain.decision import Facts
from ledger.domain.endorsed_acts import (
    IN_ERROR_FROM,
    LATE_INTO,
    LEFT_TO,
    UNSEALINGS,
    NamedAct,
    act_done,
    act_waiting,
    second_of,
)
from ledger.domain.keeping_state import Endorsement
from ledger.domain.keeping_values import EndorsedAct
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.state import RecordState
from ledger.domain.state_guards import IDENTIFIED, IDENTITY_OPEN, StateGuard
from ledger.domain.values import Actor

_WITHOUT_SUBJECT = frozenset({EndorsedAct.LATE_ITEM, EndorsedAct.IDENTIFICATION_WITHDRAWN})
_WITH_SUBJECT = UNSEALINGS | {EndorsedAct.IDENTIFICATION_CORRECTED}


def waiting(record: RecordState, act: NamedAct, second: Actor) -> Endorsement | None:
    """This person's word for exactly this act, in exactly this role, that nobody has used up; a lapsed one too."""
    return next(
        (
            each
            for each in record.overlays.endorsements.values()
            if act_waiting(each) == act and (each.endorsed_by.id, each.endorsed_by.role) == (second.id, second.role)
        ),
        None,
    )


def holds(endorsed: Endorsement, facts: Facts) -> bool:
    """Whether the act may still be done by it: up to its last moment, that included."""
    return facts.now <= endorsed.expires_at


def used_by(command: Any, record: RecordState) -> Endorsement | None:
    """The endorsement that a command uses up; None where it takes one person."""
    act, second = act_done(command, record), second_of(command)
    return None if act is None or second is None else waiting(record, act, second)


def _second_named(command: Any, record: RecordState, facts: Facts) -> bool:
    """Whether the command takes a second person and names one; that nobody is, or the sender, others refuse."""
    second = second_of(command)
    named = second is not None and is_person(second) and second.id != facts.context.actor.id
    return named and act_done(command, record) is not None


def _by_second(field: str) -> tuple[CommandGuard, CommandGuard]:
    def not_endorsed(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
        if _second_named(command, record, facts) and used_by(command, record) is None:
            yield Violation(field, endorsed.rule, endorsed.demand)

    def lapsed(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
        found = used_by(command, record)
        if found is not None and not holds(found, facts):
            yield Violation(field, in_time.rule, in_time.demand)

    endorsed = CommandGuard(
        "NOT_ENDORSED",
        "the second person has endorsed exactly this act (EndorseAct), in the same role, and nobody has done it since",
        not_endorsed,
    )
    in_time = CommandGuard(
        "ENDORSEMENT_LAPSED", "that was no longer ago than the record's pack lets an endorsement hold", lapsed
    )
    return endorsed, in_time


def _misnamed(command: EndorseAct, _: RecordState, __: Facts) -> Iterable[Violation]:
    named = command.subject_id is not None
    if (command.act in _WITH_SUBJECT and not named) or (command.act in _WITHOUT_SUBJECT and named):
        yield Violation("subject_id", ACT_CLEAR.rule, ACT_CLEAR.demand)
    if (command.act is EndorsedAct.LATE_ITEM) is (command.content is None):
        yield Violation("content", ACT_CLEAR.rule, ACT_CLEAR.demand)


def _unknown_seal(command: EndorseAct, record: RecordState, _: Facts) -> Iterable[Violation]:
    named = command.subject_id
    if command.act in UNSEALINGS and named is not None and named not in record.overlays.seals:
        yield Violation("subject_id", SEAL_THERE.rule, SEAL_THERE.demand)


def _can_be_done(act: EndorsedAct, record: RecordState, facts: Facts) -> bool:
    """Whether a record as it stands is one of which this may be said; what else stands against it may pass by then."""
    match act:
        case EndorsedAct.RECORD_IN_ERROR:
            return record.phase in IN_ERROR_FROM
        case EndorsedAct.LATE_ITEM:
            return record.phase in LATE_INTO and not record.archiving.in_error
        case EndorsedAct.IDENTIFICATION_CORRECTED:
            return record.established and not any(IDENTITY_OPEN.faults(record, facts))
        case EndorsedAct.IDENTIFICATION_WITHDRAWN:
            return not any(IDENTIFIED.faults(record, facts))
        case _:
            return bool(record.overlays.seals)


def _nothing_there(command: EndorseAct, record: RecordState, facts: Facts) -> Iterable[Violation]:
    if command.act not in UNSEALINGS and not _can_be_done(command.act, record, facts):
        yield Violation("act", ACT_POSSIBLE.rule, ACT_POSSIBLE.demand)


def _trainee(_: Any, __: RecordState, facts: Facts) -> Iterable[Violation]:
    if facts.context.actor.role == TRAINEE:
        yield Violation("context.actor.role", NO_TRAINEE.rule, NO_TRAINEE.demand)


def _may_not(command: EndorseAct, _: RecordState, facts: Facts) -> Iterable[Violation]:
    left_to = LEFT_TO.get(command.act)
    if left_to is not None and not facts.may(left_to):
        yield Violation("context.actor.role", ENDORSED_BY_ROLE.rule, ENDORSED_BY_ROLE.demand)


def _act_there(record: RecordState, facts: Facts) -> Iterator[Violation]:
    if not any(_can_be_done(each, record, facts) for each in EndorsedAct):
        yield Violation("record_id", SOME_ACT.rule, SOME_ACT.demand)


def _some_endorsed(needed: Callable[[RecordState], bool], acts: frozenset[EndorsedAct]) -> StateGuard:
    demand = "somebody has endorsed it (EndorseAct), and that holds"

    def faults(record: RecordState, facts: Facts) -> Iterator[Violation]:
        found = (each for each in record.overlays.endorsements.values() if each.act in acts)
        if needed(record) and not any(holds(each, facts) for each in found):
            yield Violation("record_id", "NOT_ENDORSED", demand)

    return StateGuard("NOT_ENDORSED", demand, faults)


ACT_CLEAR = CommandGuard(
    "ACT_UNCLEAR",
    "an unsealing names its seal, a correction its patient, a record in error the right record if there is one, a late "
    "item its content; none of them anything else",
    _misnamed,
    RefusalKind.INVALID,
)
SEAL_THERE = CommandGuard("UNKNOWN_SEAL", "of an unsealing: no such seal", _unknown_seal, RefusalKind.NOT_FOUND)
ACT_POSSIBLE = CommandGuard(
    "NOTHING_TO_ENDORSE",
    "the record is where that act may be done: in care, closed or returned for a record in error, handed in or later "
    "for a late item, identified for a correction and for taking it back",
    _nothing_there,
)
NO_TRAINEE = CommandGuard("TRAINEE", "no trainee is a second person", _trainee, of_actor=True)
ENDORSED_BY_ROLE = CommandGuard(
    "ROLE_NOT_ALLOWED",
    "a role that the pack in force names for that act: of a late item for approving a reopening, which it stands for",
    _may_not,
    asks_roles=True,
)
BY_SECOND = _by_second("second_person")
BY_CONFIRMER = _by_second("confirmed_by")
"""What an act demands of the person whom it names as its second: endorsed, and not too long ago."""

SOME_ACT = StateGuard("NOTHING_TO_ENDORSE", "some act may be done to it that takes two persons", _act_there)
IN_ERROR_ENDORSED = _some_endorsed(lambda _: True, frozenset({EndorsedAct.RECORD_IN_ERROR}))
WITHDRAWAL_ENDORSED = _some_endorsed(lambda _: True, frozenset({EndorsedAct.IDENTIFICATION_WITHDRAWN}))
CORRECTION_ENDORSED = _some_endorsed(
    lambda record: record.established, frozenset({EndorsedAct.IDENTIFICATION_CORRECTED})
)
