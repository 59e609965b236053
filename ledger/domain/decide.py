"""The decision: from a command, the stream's state and the facts to events and reservations, or a typed refusal.

Pure: the same command, state and facts give the same decision everywhere and always.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ledger.domain import (
    decide_archive,
    decide_care,
    decide_certificate,
    decide_consultation,
    decide_convergence,
    decide_correction,
    decide_course,
    decide_deadline,
    decide_disposal,
    decide_disposal_list,
    decide_endorsement,
    decide_entry,
    decide_hold,
    decide_holder,
    decide_identification,
    decide_identity,
    decide_map,
    decide_newborn,
    decide_package,
    decide_patient,
    decide_quality,
    decide_recognition,
    decide_records_office,
    decide_registration,
    decide_reopen,
    decide_retraction,
    decide_rulebook,
    decide_sample,
    decide_transfer,
)
from ledger.domain.commands import Command
from ledger.domain.decision import Decision, Facts
from ledger.domain.pack_roles import NoRoles
from ledger.domain.refusal import RefusalKind, Refused, Violation
from ledger.domain.state import StreamState
from ledger.domain.taken_over import historical_fault

Decide = Callable[[Any, Any, Facts], Decision]

DECISIONS: Mapping[type[Any], Decide] = {
    **decide_patient.DECISIONS,
    **decide_registration.DECISIONS,
    **decide_care.DECISIONS,
    **decide_entry.DECISIONS,
    **decide_consultation.DECISIONS,
    **decide_quality.DECISIONS,
    **decide_sample.DECISIONS,
    **decide_archive.DECISIONS,
    **decide_transfer.DECISIONS,
    **decide_package.DECISIONS,
    **decide_course.DECISIONS,
    **decide_certificate.DECISIONS,
    **decide_newborn.DECISIONS,
    **decide_convergence.DECISIONS,
    **decide_deadline.DECISIONS,
    **decide_correction.DECISIONS,
    **decide_reopen.DECISIONS,
    **decide_retraction.DECISIONS,
    **decide_hold.DECISIONS,
    **decide_holder.DECISIONS,
    **decide_records_office.DECISIONS,
    **decide_disposal.DECISIONS,
    **decide_disposal_list.DECISIONS,
    **decide_endorsement.DECISIONS,
    **decide_identification.DECISIONS,
    **decide_identity.DECISIONS,
    **decide_recognition.DECISIONS,
    **decide_map.DECISIONS,
    **decide_rulebook.DECISIONS,
}


_LEFT_TO_ROLES = frozenset({"ROLE_NOT_ALLOWED", "NOT_AUTHOR"})


def decide(command: Command, state: StreamState | None, facts: Facts) -> Decision:
    """What a command leads to. Raises Refused with every fault."""
    fault = historical_fault(command, facts)
    try:
        decision = DECISIONS[type(command)](command, state, facts)
    except Refused as refused:
        because = (*((fault,) if fault else ()), *_unknown_roles(refused, facts))
        if not because:
            raise
        raise Refused(RefusalKind.INVALID if fault else refused.kind, (*because, *refused.violations)) from refused
    if fault is not None:
        raise Refused(RefusalKind.INVALID, (fault,))
    return decision


def _unknown_roles(refused: Refused, facts: Facts) -> tuple[Violation, ...]:
    """Why nobody has the role that a command is left to."""
    if not isinstance(facts.roles_by, NoRoles) or all(each.rule not in _LEFT_TO_ROLES for each in refused.violations):
        return ()
    return (Violation("context.hospital", "UNREADABLE_RULE_PACK", "this release cannot read the rule pack in force"),)
