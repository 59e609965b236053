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

MAY_BE_HISTORICAL = (RegisterPatient, RegisterRecord, StartCare, EndCare, RecordEntry, AmendEntry, LinkDuplicate)
"""What an earlier system can have done. It drafts nothing here and countersigns nothing."""


def historical_fault(command: Command, facts: Facts) -> Violation | None:
    """The fault of a command that calls itself historical and cannot be, or names no item of an earlier system."""
    if not facts.context.historical:
        return None
    if isinstance(command, MAY_BE_HISTORICAL) and facts.context.source is not None:
        return None
    demand = "only what an item of an earlier system brings is historical"
    return Violation("context.historical", "HISTORICAL_NOT_ALLOWED", demand)
