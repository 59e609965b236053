"""Guards on who a provisional person is said to be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.domain.command_guards import CommandGuard
from ledger.domain.decision import Facts
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.state import RecordState


def _corrects_nobody(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    if not record.identified and (command.reason or command.confirmed_by is not None):
        yield Violation("reason", CORRECTS_SOMEBODY.rule, CORRECTS_SOMEBODY.demand)


def _same_patient(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    if record.identified and command.patient_id == record.patient_id:
        yield Violation("patient_id", ANOTHER_PATIENT.rule, ANOTHER_PATIENT.demand)


CORRECTS_SOMEBODY = CommandGuard(
    "NOT_IDENTIFIED", "a reason and a second person are of a correction: somebody was identified", _corrects_nobody
)
ANOTHER_PATIENT = CommandGuard(
    "SAME_PATIENT", "of a correction: another patient than the one so far", _same_patient, RefusalKind.INVALID
)
