"""Guards on newborns: who was born is entered at once, wherever the record is; what was wrong is put right later."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from ledger.domain.command_guards import CommandGuard
from ledger.domain.course_state import Newborn
from ledger.domain.decision import Facts
from ledger.domain.keeping_values import SealMode
from ledger.domain.newborns import entries_about, listed_about, persons_born
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.state import RecordState
from ledger.domain.values import Phase

_IN_TIME = frozenset({Phase.ACTIVE, Phase.CLOSED, Phase.RETURNED})
"""Phases in which a newborn is entered as any entry is; in every later one it comes late."""

Holds = Callable[[Any, RecordState, Facts], bool]


def _check(rule: str, demand: str, field: str, holds: Holds, kind: RefusalKind = RefusalKind.STATE) -> CommandGuard:
    def faults(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
        return () if holds(command, record, facts) else (Violation(field, rule, demand),)

    return CommandGuard(rule, demand, faults, kind)


def _named(command: Any, record: RecordState) -> Newborn | None:
    return record.newborns.get(command.subject_id)


def _known(command: Any, record: RecordState, _: Facts) -> bool:
    return _named(command, record) is not None


def _stands(command: Any, record: RecordState, _: Facts) -> bool:
    found = _named(command, record)
    return found is None or not found.withdrawn


def _was_withdrawn(command: Any, record: RecordState, _: Facts) -> bool:
    found = _named(command, record)
    return found is None or found.withdrawn


def _another_stands(command: Any, record: RecordState, _: Facts) -> bool:
    other = record.newborns.get(command.same_as_id) if command.same_as_id else None
    return command.same_as_id is None or (other is not None and not other.withdrawn)


def _differs(command: Any, _: RecordState, __: Facts) -> bool:
    return bool(command.same_as_id != command.subject_id)


def _nothing_about_nobody(command: Any, record: RecordState, _: Facts) -> bool:
    return command.same_as_id is not None or not any(entries_about(record, command.subject_id))


def _another_time(command: Any, record: RecordState, _: Facts) -> bool:
    found = _named(command, record)
    return found is None or found.born_at != command.born_at


def _late_with_reason(command: Any, record: RecordState, _: Facts) -> bool:
    return record.phase in _IN_TIME or bool(command.reason.strip())


def _late_by_role(_: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    if record.phase not in _IN_TIME and not facts.may("register_newborn_late"):
        yield Violation("context.actor.role", "ROLE_NOT_ALLOWED", LATE_BY_ROLE.demand)


def _another_patient(command: Any, record: RecordState, _: Facts) -> bool:
    found = _named(command, record)
    return found is None or found.patient_id != command.patient_id


def _linkable(command: Any, record: RecordState, facts: Facts) -> bool:
    # What was said of one who was taken back is taken back too, or it would stand for ever.
    return command.patient_id is None or _stands(command, record, facts)


def _link_not_in_error(command: Any, record: RecordState, _: Facts) -> bool:
    return command.patient_id is None or not record.archiving.in_error


def _of_its_own(command: Any, record: RecordState, facts: Facts) -> bool:
    return command.patient_id is None or _is_nobody_else(command.patient_id, command.subject_id, record, facts)


def _still_of_its_own(command: Any, record: RecordState, facts: Facts) -> bool:
    found = _named(command, record)
    if found is None or found.patient_id is None:
        return True
    return _is_nobody_else(found.patient_id, found.subject_id, record, facts)


def _is_nobody_else(patient_id: UUID, subject_id: UUID, record: RecordState, facts: Facts) -> bool:
    taken = {facts.person(record.patient_id), *persons_born(record, facts, but=subject_id)}
    return facts.person(patient_id) not in taken


def _not_held(command: Any, record: RecordState, _: Facts) -> bool:
    return not any(listed_about(record, hold, command.subject_id) for hold in record.overlays.holds.values())


def _original_open(command: Any, record: RecordState, _: Facts) -> bool:
    originals = (seal for seal in record.overlays.seals.values() if seal.mode is SealMode.ORIGINAL)
    return not any(listed_about(record, seal, command.subject_id) for seal in originals)


def _changed_with_reason(command: Any, record: RecordState, _: Facts) -> bool:
    found = _named(command, record)
    return found is None or found.patient_id is None or bool(command.reason.strip())


def _linked_by_role(_: Any, __: RecordState, facts: Facts) -> Iterable[Violation]:
    if not (facts.may("correct_newborn") or facts.may("register_newborn_late")):
        yield Violation("context.actor.role", "ROLE_NOT_ALLOWED", LINKED_BY_ROLE.demand)


NEWBORN_KNOWN = _check(
    "UNKNOWN_SUBJECT", "no newborn of this record has this id", "subject_id", _known, RefusalKind.NOT_FOUND
)
NEWBORN_STANDS = _check("SUBJECT_WITHDRAWN", "the newborn was not taken back", "subject_id", _stands)
NEWBORN_WAS_WITHDRAWN = _check("NOT_WITHDRAWN", "the newborn was taken back", "subject_id", _was_withdrawn)
SAME_AS_STANDS = _check(
    "UNKNOWN_SUBJECT",
    "who is meant is a newborn of this record who was not taken back",
    "same_as_id",
    _another_stands,
    RefusalKind.NOT_FOUND,
)
SAME_AS_ANOTHER = _check("SAME_SUBJECT", "who is meant is another one, or nobody", "same_as_id", _differs)
NOTHING_ABOUT_NOBODY = _check(
    "HAS_ENTRIES", "where nobody was born, no entry about it stands", "same_as_id", _nothing_about_nobody
)
BIRTH_CHANGES = _check("SAME_TIME", "another time than the one that counts", "born_at", _another_time)
LINK_CHANGES = _check("SAME_PATIENT", "another patient than the one it is linked to", "patient_id", _another_patient)
LINKABLE = _check("SUBJECT_WITHDRAWN", "the newborn was not taken back, or its link is", "patient_id", _linkable)
LINK_NOT_IN_ERROR = _check(
    "IN_ERROR", "it was not entered in error, or a link is taken back", "patient_id", _link_not_in_error
)
PATIENT_OF_ITS_OWN = _check(
    "NOT_ITS_OWN",
    "neither the patient of this record nor another newborn of it, nor merged with either",
    "patient_id",
    _of_its_own,
)
STILL_OF_ITS_OWN = _check(
    "NOT_ITS_OWN",
    "its patient is neither this record's nor another newborn's of it, nor merged with either, or the link goes first",
    "subject_id",
    _still_of_its_own,
)
NEWBORN_NOT_HELD = _check("ENTRY_HELD", "no hold lists an entry about the newborn", "subject_id", _not_held)
NEWBORN_NOT_SEALED = _check(
    "ENTRY_SEALED", "no seal of an original lists an entry about the newborn", "subject_id", _original_open
)
LINK_CHANGED_WITH_REASON = _check(
    "REASON_REQUIRED",
    "why a link that there is becomes another one, or none",
    "reason",
    _changed_with_reason,
    RefusalKind.INVALID,
)
LATE_WITH_REASON = _check(
    "REASON_REQUIRED",
    "in a record that is handed in, archived or reopened: why it is entered so late",
    "reason",
    _late_with_reason,
    RefusalKind.INVALID,
)
LATE_BY_ROLE = CommandGuard(
    "ROLE_NOT_ALLOWED",
    "in a record that is handed in, archived or reopened: a role that the pack in force names",
    _late_by_role,
    asks_roles=True,
    of_actor=True,
)


LINKED_BY_ROLE = CommandGuard(
    "ROLE_NOT_ALLOWED",
    "a role that the pack in force names for registering a newborn late, or for correcting one",
    _linked_by_role,
    asks_roles=True,
    of_actor=True,
)
