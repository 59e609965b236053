"""Who acts for the hospital: nobody who stands on the patient's side of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.domain.command_guards import CommandGuard
from ledger.domain.decision import Facts
from ledger.domain.keeping_commands import ExtendSeal, RecordPatientRequest, SealRecord, UnsealRecord
from ledger.domain.refusal import Violation
from ledger.domain.seal_guards import OTHER_SIDE
from ledger.domain.state import RecordState


def _of_the_other_side(_: Any, __: RecordState, facts: Facts) -> Iterable[Violation]:
    if facts.context.actor.role in OTHER_SIDE:
        yield Violation("context.actor.role", FOR_HOSPITAL.rule, FOR_HOSPITAL.demand)


FOR_HOSPITAL = CommandGuard(
    "WRONG_SIDE",
    "the hospital acts: no patient, representative or notary",
    _of_the_other_side,
    of_actor=True,
)
NOT_THE_HOSPITALS_ALONE = frozenset(
    {
        # Whoever asks may send it, too.
        RecordPatientRequest,
        # Both sides are there, and the guards of the seal say who stands where.
        SealRecord,
        ExtendSeal,
        UnsealRecord,
    }
)
"""Of the declaration's commands those that are not the hospital's own act."""
