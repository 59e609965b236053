"""What may be said to come from an earlier system, and so escapes the demands on what is written here."""

from __future__ import annotations

from ledger.domain.commands import (
    AmendEntry,
    Command,
    EndCare,
    RecordEntry,
    RegisterPatient,
    RegisterRecord,
    StartCare,
)
from ledger.domain.course_commands import LinkDuplicate
from ledger.domain.decision import Facts
from ledger.domain.refusal import Violation
from ledger.domain.role_kinds import INTERFACE

MAY_BE_HISTORICAL = (RegisterPatient, RegisterRecord, StartCare, EndCare, RecordEntry, AmendEntry, LinkDuplicate)
"""What an earlier system can have done. It drafts nothing here and countersigns nothing."""

DEMAND = "only what a program (role interface) brings of an earlier system, with its item there, is historical"


def historical_fault(command: Command, facts: Facts) -> Violation | None:
    """The fault of a command that calls itself historical and cannot be: by whom, of what kind, or without an item."""
    context = facts.context
    if not context.historical:
        return None
    # Whoever could say it by hand would sign in anybody's name, and hand in what was never written.
    brought = context.actor.role == INTERFACE and context.source is not None
    if isinstance(command, MAY_BE_HISTORICAL) and brought:
        return None
    return Violation("context.historical", "HISTORICAL_NOT_ALLOWED", DEMAND)
