"""What a copy may show: what is finished and stands, of one subject alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from ledger.domain.command_guards import ENTRIES_KNOWN, SCOPE_FINISHED, SCOPE_NOT_RETRACTED, CommandGuard, is_finished
from ledger.domain.decision import Facts
from ledger.domain.keeping_state import IssuedCopy, Loan
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.state import RecordState
from ledger.domain.subjects import is_subject, subject_meant, subject_of
from ledger.domain.transfer_state import Transfer


def _unknown_subject(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    if not is_subject(record, command.subject_id):
        yield Violation("subject_id", SUBJECT_KNOWN.rule, SUBJECT_KNOWN.demand)


def _of_others(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    # Whoever gets the newborn's copy is not told of the mother by it, nor the other way round.
    for index, entry_id in enumerate(command.entry_ids):
        entry = record.entries.get(entry_id)
        if entry is not None and subject_of(record, entry) != subject_meant(record, command.subject_id):
            yield Violation(f"entry_ids[{index}]", ONE_SUBJECT.rule, ONE_SUBJECT.demand)


def entries_shown(command: Any, record: RecordState) -> tuple[UUID, ...]:
    """The entries named; else all of the subject that are finished and stand."""
    subject = subject_meant(record, command.subject_id)
    return command.entry_ids or tuple(
        entry.entry_id
        for entry in record.entries.values()
        if not entry.retracted and is_finished(record, entry) and subject_of(record, entry) == subject
    )


def _nothing_shown(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    if not entries_shown(command, record):
        yield Violation("entry_ids", SOMETHING_SHOWN.rule, SOMETHING_SHOWN.demand)


def _unknown_holder(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    if _held(command, record) is None:
        yield Violation("holder_id", HOLDER_KNOWN.rule, HOLDER_KNOWN.demand)


def _held(command: Any, record: RecordState) -> IssuedCopy | Loan | Transfer | None:
    lies = record.overlays
    return (
        lies.copies.get(command.holder_id)
        or lies.loans.get(command.holder_id)
        or record.transfers.get(command.holder_id)
    )


def _nothing_to_tell(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    held = _held(command, record)
    if held is not None and not held.outdated:
        yield Violation("holder_id", HOLDER_WAITS.rule, HOLDER_WAITS.demand)


HOLDER_KNOWN = CommandGuard(
    "UNKNOWN_HOLDER", "no such copy, loan or transfer of this record", _unknown_holder, RefusalKind.NOT_FOUND
)
HOLDER_WAITS = CommandGuard("NOTHING_TO_TELL", "what it shows was changed since, and nobody was told", _nothing_to_tell)
SUBJECT_KNOWN = CommandGuard(
    "UNKNOWN_SUBJECT", "no newborn of this record has this id", _unknown_subject, RefusalKind.NOT_FOUND
)
ONE_SUBJECT = CommandGuard("OTHER_SUBJECT", "a copy is of the patient, or of one newborn of the record", _of_others)
SOMETHING_SHOWN = CommandGuard("NOTHING_TO_COPY", "something of the subject is finished", _nothing_shown)
SCOPE = (ENTRIES_KNOWN, SCOPE_NOT_RETRACTED, SCOPE_FINISHED, SUBJECT_KNOWN, ONE_SUBJECT, SOMETHING_SHOWN)
"""What holds of the scope of every copy."""
