"""The one declaration of what a record accepts in which phase, and where that leads.

`decide` asks it, and documents, the list of allowed actions and the test model are made from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain import commands
from ledger.domain.refusal import Violation
from ledger.domain.values import Phase, VisitType

WRITING = frozenset({Phase.ACTIVE, Phase.CLOSED, Phase.RETURNED})
"""Phases in which entries are accepted."""

TRANSFERABLE = frozenset(
    {Phase.ACTIVE, Phase.CLOSED, Phase.SUBMITTED, Phase.RETURNED, Phase.ARCHIVED, Phase.DUE, Phase.PERMANENT}
)
"""Phases in which a record may be offered to another hospital."""

LATE_RESULT = frozenset({Phase.SUBMITTED})
"""Phases that take a result although they take no other entry: care is never blocked by an archive rule."""

EVERY_PHASE = frozenset(Phase)
SHORT_PATH = frozenset({VisitType.OUTPATIENT, VisitType.EMERGENCY})
"""Visits that are archived at the doctor's confirmation; quality is checked by sampling."""


@dataclass(frozen=True)
class Rule:
    """Where a command is allowed, and the phase that it leads to (None = the phase stays)."""

    phases: frozenset[Phase]
    to: Phase | None = None
    short_path: frozenset[Phase] | None = None
    """Phases in which it is allowed for visits on the short path; None = the same."""


RULES: dict[type[commands.Command], Rule] = {
    commands.StartCare: Rule(frozenset({Phase.REGISTERED}), Phase.ACTIVE),
    commands.RecordEntry: Rule(WRITING),
    commands.AmendEntry: Rule(WRITING),
    commands.RetractEntry: Rule(WRITING),
    commands.RequestConsultation: Rule(frozenset({Phase.ACTIVE})),
    commands.AnswerConsultation: Rule(WRITING),
    commands.TransferDepartment: Rule(frozenset({Phase.ACTIVE})),
    commands.EndCare: Rule(frozenset({Phase.ACTIVE}), Phase.CLOSED),
    commands.SubmitRecord: Rule(frozenset({Phase.CLOSED, Phase.RETURNED}), Phase.SUBMITTED),
    commands.ReturnRecord: Rule(frozenset({Phase.SUBMITTED}), Phase.RETURNED),
    commands.PassQuality: Rule(frozenset({Phase.SUBMITTED})),
    commands.ArchiveRecord: Rule(
        frozenset({Phase.SUBMITTED}), Phase.ARCHIVED, short_path=frozenset({Phase.CLOSED, Phase.SUBMITTED})
    ),
    commands.OfferTransfer: Rule(TRANSFERABLE),
    # What happens to an offer that is out does not depend on the record's phase.
    commands.WithdrawTransfer: Rule(EVERY_PHASE - {Phase.DESTROYED}),
    commands.RecordTransferAnswer: Rule(EVERY_PHASE - {Phase.DESTROYED}),
}


def allowed_phases(command: type[commands.Command], visit_type: VisitType) -> frozenset[Phase]:
    """The phases in which a record of this visit type accepts the command."""
    rule = RULES[command]
    if rule.short_path is not None and visit_type in SHORT_PATH:
        return rule.short_path
    return rule.phases


def phase_fault(command: type[commands.Command], phase: Phase, visit_type: VisitType) -> Violation | None:
    """The fault of a command that the phase does not accept."""
    allowed = allowed_phases(command, visit_type)
    if phase in allowed:
        return None
    names = ", ".join(sorted(allowed))
    return Violation("", "PHASE_NOT_ALLOWED", f"the record is {phase}; allowed in {names}")
