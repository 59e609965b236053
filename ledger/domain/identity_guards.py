"""Guards on who a provisional person is said to be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.domain.command_guards import CommandGuard
from ledger.domain.decision import Facts
from ledger.domain.newborns import persons_born
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.state import RecordState


def _corrects_nobody(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    if not record.established and (command.reason or command.confirmed_by is not None):
        yield Violation("reason", CORRECTS_SOMEBODY.rule, CORRECTS_SOMEBODY.demand)


def _same_patient(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    if record.established and command.patient_id == record.patient_id:
        yield Violation("patient_id", ANOTHER_PATIENT.rule, ANOTHER_PATIENT.demand)


def _own_newborn(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    if facts.person(command.patient_id) in persons_born(record, facts):
        yield Violation("patient_id", NOT_ITS_NEWBORN.rule, NOT_ITS_NEWBORN.demand)


def _newborn_again(_: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    before = record.provisional
    if before is not None and facts.person(before.patient_id) in persons_born(record, facts):
        yield Violation("record_id", NOT_ITS_NEWBORN_AGAIN.rule, NOT_ITS_NEWBORN_AGAIN.demand)


NOT_ITS_NEWBORN = CommandGuard(
    "NOT_ITS_OWN", "nobody who is a newborn of this record, nor merged with one", _own_newborn
)
NOT_ITS_NEWBORN_AGAIN = CommandGuard(
    "NOT_ITS_OWN", "no newborn of this record is the provisional person, or the link goes first", _newborn_again
)
CORRECTS_SOMEBODY = CommandGuard(
    "NOT_IDENTIFIED",
    "a reason and a second person are of a correction: somebody was said to be the patient",
    _corrects_nobody,
)
ANOTHER_PATIENT = CommandGuard(
    "SAME_PATIENT", "of a correction: another patient than the one so far", _same_patient, RefusalKind.INVALID
)
