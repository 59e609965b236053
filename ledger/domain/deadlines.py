"""The deadlines of a record: what its pack demands by when, and whether it was there in time.

Computed from the state each time, so a corrected start moves them. A deadline holds AT its second and is missed one
second after. Clocks never run on what an earlier system recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.domain.deadline_rules import DeadlineRule
from ledger.domain.rule_pack import RulePack
from ledger.domain.state import Entry, RecordState
from ledger.domain.values import Disposition, EntryState, Phase, Urgency

CONDITION = "condition"
"""Code of the field by which a note says how the patient is."""

_NO_CARE = frozenset({Phase.REGISTERED, Phase.VOIDED, Phase.ENTERED_IN_ERROR, Phase.DESTROYED})


@dataclass(frozen=True)
class Deadline:
    """One thing that is demanded by a time."""

    rule: str
    subject_id: UUID | None
    since: datetime
    due_at: datetime
    met_at: datetime | None

    def missed(self, now: datetime) -> bool:
        """Whether it was not kept, or is over and nothing is there yet."""
        return (self.met_at or now).replace(microsecond=0) > self.due_at


@dataclass(frozen=True)
class _Start:
    subject_id: UUID | None
    at: datetime


def deadlines(record: RecordState, pack: RulePack) -> list[Deadline]:
    """Every deadline of the record, kept, open or missed, in the order of the pack."""
    if record.care_historical or record.phase in _NO_CARE:
        return []
    return [
        each
        for rule in pack.deadlines.rules
        if record.visit_type in rule.visits
        for each in _of_rule(rule, record, pack)
    ]


def _of_rule(rule: DeadlineRule, record: RecordState, pack: RulePack) -> Iterator[Deadline]:
    if rule.condition and rule.condition != condition_of(record):
        return
    for start in _starts(rule, record):
        if rule.repeats:
            yield from _repeated(rule, start, record, pack)
            continue
        due = rule.due(start.at, pack.deadlines.calendar)
        yield Deadline(rule.id, start.subject_id, start.at, due, _met_at(rule, start, record))


def _repeated(rule: DeadlineRule, start: _Start, record: RecordState, pack: RulePack) -> Iterator[Deadline]:
    """The one that is open now: counted from the last note, until care ends."""
    last = max(_kept_at(rule, record, start.at), default=start.at)
    yield Deadline(rule.id, start.subject_id, last, rule.due(last, pack.deadlines.calendar), record.ended_at)


def _starts(rule: DeadlineRule, record: RecordState) -> Iterator[_Start]:
    match rule.start:
        case "care_started" if record.started_at:
            yield _Start(None, record.started_at)
        case "department_transferred" if record.moves:
            yield _Start(None, record.moves[-1].moved_at)
        case "care_ended" if record.ended_at:
            yield _Start(None, record.ended_at)
        case "death" if record.ended_at and record.disposition is Disposition.DEATH:
            yield _Start(None, record.ended_at)
        case "emergency_consultation" | "routine_consultation":
            urgency = Urgency.EMERGENCY if rule.start == "emergency_consultation" else Urgency.ROUTINE
            asked = (each for each in record.consultations.values() if each.urgency is urgency)
            yield from (_Start(each.consultation_id, each.requested_at) for each in asked)
        case "entry":
            entries = (each for each in record.entries.values() if each.last.content.template == rule.start_template)
            yield from (_Start(each.entry_id, each.versions[0].occurred_at) for each in entries if not each.retracted)
        case _:
            return


def _met_at(rule: DeadlineRule, start: _Start, record: RecordState) -> datetime | None:
    match rule.stop:
        case "arrival" | "answer":
            asked = record.consultations.get(start.subject_id) if start.subject_id else None
            if asked is None:
                return None
            return (asked.arrived_at or asked.answered_at) if rule.stop == "arrival" else asked.answered_at
        case "submission":
            return record.archiving.submitted_at
        case _:
            return min(_kept_at(rule, record, start.at), default=None)


def _kept_at(rule: DeadlineRule, record: RecordState, since: datetime) -> Iterator[datetime]:
    """When entries that keep the rule came, by the ledger's clock."""
    for entry in record.entries.values():
        if entry.retracted or entry.last.content.template not in rule.templates:
            continue
        at = _signed_at(entry)
        if at is not None and (rule.start != "department_transferred" or at >= since):
            yield at


def _signed_at(entry: Entry) -> datetime | None:
    return next((each.recorded_at for each in entry.versions if each.state is not EntryState.DRAFT), None)


def condition_of(record: RecordState) -> str:
    """The patient's condition as the last note that says one codes it; empty where none does."""
    for entry in reversed(list(record.entries.values())):
        if entry.retracted:
            continue
        for section in entry.last.content.sections:
            for each in section.fields:
                if each.code == CONDITION and each.coding is not None:
                    return each.coding.code
    return ""
