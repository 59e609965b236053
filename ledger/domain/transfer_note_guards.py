"""The guard on the note that goes with a patient to another hospital."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.domain.command_guards import CommandGuard
from ledger.domain.decision import Facts
from ledger.domain.missing_entries import FINAL
from ledger.domain.refusal import Violation
from ledger.domain.state import RecordState
from ledger.domain.subjects import about

EMERGENCY = "ETREAT"
"""Purpose (HL7 PurposeOfUse) of a transfer that waits for no paper."""


def _no_note(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    rule = facts.pack.transfer_note
    if rule is None or command.kind not in rule.kinds or facts.context.purpose == EMERGENCY:
        return
    # Care that an earlier system gave is documented there: nobody can write its note now.
    if record.historical and record.care_historical:
        return
    notes = (each for each in about(record) if each.last.content.template in rule.templates)
    if not any(each.state in FINAL for each in notes):
        yield Violation("record_id", NOTE_SIGNED.rule, NOTE_SIGNED.demand)


NOTE_SIGNED = CommandGuard(
    "NO_TRANSFER_NOTE",
    "of a kind that the pack names, but in an emergency (ETREAT): a note about the patient is signed by whom the pack "
    "names",
    _no_note,
)
