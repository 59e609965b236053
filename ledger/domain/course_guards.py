"""Where a patient goes, which draft is signed, and what medical affairs may settle."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.domain.command_guards import CommandGuard, entry_of
from ledger.domain.decision import Facts
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.state import RecordState
from ledger.domain.state_guards import PHYSICIAN_IN_CHARGE, lacks
from ledger.domain.subjects import subject_of
from ledger.domain.transfer_note_guards import EMERGENCY
from ledger.domain.values import EntryState


def _there_already(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    if command.to_department == record.department:
        yield Violation("to_department", ELSEWHERE.rule, ELSEWHERE.demand)


def _note_unknown(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    if command.note_entry_id is None:
        return
    note = record.entries.get(command.note_entry_id)
    if note is None or note.retracted:
        yield Violation("note_entry_id", NOTE_STANDS.rule, NOTE_STANDS.demand)


def _no_note(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    rule = facts.pack.move_note
    if rule is None or record.visit_type not in rule.visits or facts.context.purpose == EMERGENCY:
        return
    note = record.entries.get(command.note_entry_id) if command.note_entry_id is not None else None
    if command.note_entry_id is not None and (note is None or note.retracted):
        return  # NOTE_STANDS names it
    there = note is not None and note.state is not EntryState.DRAFT and subject_of(record, note) is None
    if note is None or not there or note.last.content.template not in rule.templates:
        yield Violation("note_entry_id", NOTE_FIRST.rule, NOTE_FIRST.demand)


def _note_named_before(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    # Each department owes its own: the deadlines and the hand-in ask for one each, and so does a move in a hurry that
    # names one. Who has none to name, names none then.
    if command.note_entry_id is not None and any(each.note_entry_id == command.note_entry_id for each in record.moves):
        yield Violation("note_entry_id", NOTE_OF_ITS_OWN.rule, NOTE_OF_ITS_OWN.demand)


def _draft_unknown(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    if command.draft_id is not None and command.draft_id not in record.entries:
        yield Violation("draft_id", DRAFT_KNOWN.rule, DRAFT_KNOWN.demand)


def _draft_signed(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    draft = record.entries.get(command.draft_id) if command.draft_id is not None else None
    if draft is not None and draft.state is not EntryState.DRAFT:
        yield Violation("draft_id", DRAFT_OPEN.rule, DRAFT_OPEN.demand)


def _not_waiting(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    entry = entry_of(command, record)
    if entry is not None and entry.state is not EntryState.AUTHORED:
        yield Violation("entry_id", WAITS_FOR_SIGNATURE.rule, WAITS_FOR_SIGNATURE.demand)


def _template_unknown(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    # What this release cannot read may be owed all the same.
    if not _means_something(command.template, facts) and not lacks(record, facts, command.template):
        yield Violation("template", WAIVED_KNOWN.rule, WAIVED_KNOWN.demand)


def _means_something(template: str, facts: Facts) -> bool:
    return template in {"", PHYSICIAN_IN_CHARGE} or facts.templates.knows(template)


def _not_missing(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    # What was accepted before NOT_ACCEPTED_YET names, and what there is not WAIVED_KNOWN.
    told = command.template in record.archiving.never_written or not _means_something(command.template, facts)
    if command.template and not told and not lacks(record, facts, command.template):
        yield Violation("template", WAIVED_MISSING.rule, WAIVED_MISSING.demand)


def _accepted_before(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    # One acceptance settles one entry: a second missing one is accepted by itself.
    if command.entry_id is not None:
        accepted = command.entry_id in record.archiving.deficiencies
    else:
        accepted = command.template in record.archiving.never_written and not lacks(record, facts, command.template)
    if accepted:
        yield Violation("record_id", NOT_ACCEPTED_YET.rule, NOT_ACCEPTED_YET.demand)


ELSEWHERE = CommandGuard("SAME_DEPARTMENT", "another department than where the patient is", _there_already)
NOTE_STANDS = CommandGuard(
    "UNKNOWN_ENTRY", "the transfer-out note is an entry that stands", _note_unknown, RefusalKind.NOT_FOUND
)
NOTE_FIRST = CommandGuard(
    "NO_MOVE_NOTE",
    "in visits that the pack names, but in an emergency (ETREAT): a note of the department left, about the patient, "
    "written before",
    _no_note,
)
NOTE_OF_ITS_OWN = CommandGuard("NOTE_OF_ANOTHER_MOVE", "a note that no move before named", _note_named_before)
DRAFT_KNOWN = CommandGuard("UNKNOWN_ENTRY", "no such draft in this record", _draft_unknown, RefusalKind.NOT_FOUND)
DRAFT_OPEN = CommandGuard("NOT_A_DRAFT", "what is signed here is a draft still", _draft_signed)
WAITS_FOR_SIGNATURE = CommandGuard("NOT_WAITING", "the entry waits for a signature", _not_waiting)
WAIVED_KNOWN = CommandGuard(
    "UNKNOWN_TEMPLATE", "a template that the record may use", _template_unknown, RefusalKind.NOT_FOUND
)
WAIVED_MISSING = CommandGuard("NOT_MISSING", "the record owes an entry of the template, which is missing", _not_missing)
NOT_ACCEPTED_YET = CommandGuard("ALREADY_ACCEPTED", "it was not accepted before", _accepted_before)
