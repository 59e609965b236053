"""The times that people say of a consultation: bounded, so that no missed deadline is dated back in silence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.domain.command_guards import CommandGuard
from ledger.domain.course_state import Consultation
from ledger.domain.deadlines import consultation_due
from ledger.domain.decision import Facts
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.state import RecordState

CONSULTATION = "consultation"
"""The template of the note that holds a consultant's answer."""


def _before_request(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    asked = record.consultations.get(command.consultation_id)
    if asked is not None and facts.meta().occurred_at < asked.requested_at and not command.reason.strip():
        yield Violation("reason", "BEFORE_REQUEST", BEFORE_REQUEST_WITH_REASON.demand)


def _late_without_reason(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    said_at, asked = facts.meta().occurred_at, record.consultations.get(command.consultation_id)
    if asked is None or command.reason.strip():
        return
    # However small the step back: one over the deadline, which holds AT its second, is never taken in silence.
    said, now = (each.replace(microsecond=0) for each in (said_at, facts.now))
    stepped_over = any(said <= due < now for due in consultation_due(record, asked, facts.pack))
    if stepped_over or facts.now - said_at > facts.pack.arrival_back_max:
        yield Violation("reason", "REASON_REQUIRED", LATE_WITH_REASON.demand)


def _withdrawn(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    asked = record.consultations.get(command.consultation_id)
    if asked is not None and asked.withdrawn_at is not None:
        yield Violation("consultation_id", NOT_WITHDRAWN.rule, NOT_WITHDRAWN.demand)


def _not_asker(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    asked = record.consultations.get(command.consultation_id)
    own = asked is None or asked.requested_by == facts.context.actor.id
    if not own and not facts.may("withdraw_consultation"):
        yield Violation("context.actor", ASKER_OR_HEAD.rule, ASKER_OR_HEAD.demand)


def _by_asker(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    asked = record.consultations.get(command.consultation_id)
    if asked is not None and asked.requested_by == facts.context.actor.id:
        yield Violation("context.actor", OTHER_THAN_ASKER.rule, OTHER_THAN_ASKER.demand)


def _of_another_department(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    # Whose department nobody knows may be of the one asked: who helps is not sent away for what a register lacks. Who
    # came may answer, whatever department that person is of by now.
    asked, of = record.consultations.get(command.consultation_id), facts.context.actor.department
    if asked is not None and of not in ("", asked.to_department) and asked.arrived_by != facts.context.actor.id:
        yield Violation("context.actor.department", OF_THE_ASKED.rule, OF_THE_ASKED.demand)


def _came_already(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    asked = record.consultations.get(command.consultation_id)
    if asked is not None and asked.arrived_at is not None and not _heads_asker(asked, facts):
        yield Violation("consultation_id", CAME_OR_HEAD.rule, CAME_OR_HEAD.demand)


def _heads_asker(asked: Consultation, facts: Facts) -> bool:
    # A chief of the department that was asked owes the note: nobody frees himself of it.
    actor = facts.context.actor
    of_asker = actor.department == asked.from_department and actor.id != asked.arrived_by
    return of_asker and facts.may("withdraw_consultation")


NOT_WITHDRAWN = CommandGuard(
    "CONSULTATION_WITHDRAWN", "it stands: whoever is needed after all is asked anew", _withdrawn
)
ASKER_OR_HEAD = CommandGuard(
    "NOT_AUTHOR", "who asked withdraws it, or a role that the pack in force names", _not_asker, asks_roles=True
)
OTHER_THAN_ASKER = CommandGuard("SAME_PERSON", "another person than who asked comes and answers", _by_asker)
OF_THE_ASKED = CommandGuard(
    "OTHER_DEPARTMENT",
    "who comes, enters it and answers is of the department that was asked, as far as anybody's department is known",
    _of_another_department,
)
CAME_OR_HEAD = CommandGuard(
    "ALREADY_ARRIVED",
    "the consultant has not come, who owes a note then; else a role that the pack in force names, of the department "
    "that asked and another person than who entered the arrival, withdraws it",
    _came_already,
    asks_roles=True,
)
BEFORE_REQUEST_WITH_REASON = CommandGuard(
    "BEFORE_REQUEST",
    "who came or answered before the request, and before a call that it names, says why",
    _before_request,
    RefusalKind.INVALID,
)
LATE_WITH_REASON = CommandGuard(
    "REASON_REQUIRED",
    "an arrival that is entered later than the pack allows, or after its deadline as having kept it, says why",
    _late_without_reason,
    RefusalKind.INVALID,
)
