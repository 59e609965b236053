"""The deadlines of a record: what its pack demands by when, and whether it was there in time.

Computed from the state each time, so a corrected start moves them. A deadline holds AT its second and is missed one
second after. Clocks never run on what an earlier system recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from ledger.domain.course_state import Consultation
from ledger.domain.deadline_rules import OWN_NOTE, DeadlineRule
from ledger.domain.keeping_state import Missed
from ledger.domain.own_notes import ANY_TIME, Owed, kept_by
from ledger.domain.patient_condition import condition_before, condition_of, conditions
from ledger.domain.rule_pack import RulePack
from ledger.domain.state import Entry, RecordState
from ledger.domain.subjects import about, subject_of
from ledger.domain.values import Disposition, EntryState, Phase, Urgency

_NO_CARE = frozenset({Phase.REGISTERED, Phase.VOIDED, Phase.ENTERED_IN_ERROR, Phase.DESTROYED})

MISSES_IN_A_SPAN_MAX = 366
"""A stay that nobody ended is not reported for ever: a year of a daily note says enough."""


@dataclass(frozen=True)
class Deadline:
    """One thing that is demanded by a time."""

    rule: str
    subject_id: UUID | None
    since: datetime
    due_at: datetime
    met_at: datetime | None
    source: str = ""
    """Where the pack's figure is from."""
    in_working_days: bool = False
    """Another calendar of the hospital may move it."""
    undated: bool = False
    """It is counted in working days of a year whose days off the hospital's calendar does not know."""

    def missed(self, now: datetime) -> bool:
        """Whether it was not kept, or is over and nothing is there yet."""
        return (self.met_at or now).replace(microsecond=0) > self.due_at


@dataclass(frozen=True)
class _Start:
    subject_id: UUID | None
    at: datetime
    until: datetime | None = None
    """When it stopped being asked for, whether kept or not."""


def deadlines(record: RecordState, pack: RulePack, now: datetime) -> list[Deadline]:
    """Every deadline of the record, kept, open or missed, in the order of the pack; each has its own due time.

    Of a rule that repeats, up to the first that is not over `now`.
    """
    # What was entered in error stays nobody's care, whatever its phase is once its term is over.
    if record.care_historical or record.archiving.in_error or record.phase in _NO_CARE:
        return []
    return [
        each
        for rule in pack.deadlines.rules
        if record.visit_type in rule.visits
        for each in _of_rule(rule, record, pack, now)
    ]


def _of_rule(rule: DeadlineRule, record: RecordState, pack: RulePack, now: datetime) -> Iterator[Deadline]:
    if rule.repeats:
        yield from _repeated(rule, record, pack, now)
        return
    if rule.condition and rule.condition != condition_of(record):
        return
    if rule.stop == "filed":
        yield from _filings(rule, record, pack)
        return
    if rule.stop == "entry" and rule.start in OWN_NOTE:
        yield from _each_with_its_own(rule, record, pack)
        return
    for start in _starts(rule, record):
        yield _ended_with_the_stay(
            _deadline(rule, start, _met_at(rule, start, record, pack), record, pack), rule, record
        )


def _ended_with_the_stay(deadline: Deadline, rule: DeadlineRule, record: RecordState) -> Deadline:
    """Who has left, or died, before a note was due owes that note no more."""
    ended_at = record.ended_at
    if not rule.ends_with_stay or ended_at is None or ended_at.replace(microsecond=0) > deadline.due_at:
        return deadline
    return replace(deadline, met_at=min(deadline.met_at or ended_at, ended_at))


def _each_with_its_own(rule: DeadlineRule, record: RecordState, pack: RulePack) -> Iterator[Deadline]:
    """A second operation owes a second record: the first one's note keeps it not, nor does one about somebody else."""
    starts = sorted(_starts(rule, record), key=lambda each: each.at)
    whose = [_subject(each, record) for each in starts]
    for subject in dict.fromkeys(whose):
        of_subject = [each for each, its in zip(starts, whose, strict=True) if its == subject]
        yield from _own_notes(rule, record, pack, of_subject, subject)


def _subject(start: _Start, record: RecordState) -> UUID | None:
    """Whom the note is owed about: a newborn's operation owes a note about the newborn, all else one of the patient."""
    entry = record.entries.get(start.subject_id) if start.subject_id else None
    return subject_of(record, entry) if entry else None


def _own_notes(
    rule: DeadlineRule, record: RecordState, pack: RulePack, starts: list[_Start], subject: UUID | None
) -> Iterator[Deadline]:
    calendar = pack.deadlines.calendar
    opens = _opens(rule, [each.at for each in starts])
    owed = [Owed(since, rule.due(start.at, calendar)) for since, start in zip(opens, starts, strict=True)]
    kept = kept_by(owed, _kept_at(rule, record, pack, ANY_TIME, subject))
    for start, met_at in zip(starts, kept, strict=True):
        yield _ended_with_the_stay(_deadline(rule, start, met_at, record, pack), rule, record)


def _opens(rule: DeadlineRule, starts: list[datetime]) -> list[datetime]:
    """From when a note can keep what each of these starts, the earliest first."""
    if rule.opens_after is not None:
        return [rule.opens(each) for each in starts]
    # Before the first there was nothing else that an early note could belong to. A note of a move may be written as
    # soon as the patient is in the department that is left.
    before = starts[:-1] if rule.start == "department_left" else starts[1:]
    return [ANY_TIME, *before][: len(starts)]


def _filings(rule: DeadlineRule, record: RecordState, pack: RulePack) -> Iterator[Deadline]:
    """What came into the ledger later than its time of origin allows, or is still a draft.

    What was filed in time never waited: a record of a thousand results would else have a thousand kept deadlines.
    """
    for start in _starts(rule, record):
        entry = record.entries.get(start.subject_id) if start.subject_id else None
        found = _deadline(rule, start, signed_at(entry) if entry else None, record, pack)
        if found.met_at is None or found.missed(found.met_at):
            yield found


def consultation_due(record: RecordState, asked: Consultation, pack: RulePack) -> Iterator[datetime]:
    """The last seconds at which the consultant is in time."""
    for rule in pack.deadlines.rules:
        if rule.stop != "arrival" or record.visit_type not in rule.visits:
            continue
        starts = (each for each in _starts(rule, record) if each.subject_id == asked.consultation_id)
        yield from (rule.due(each.at, pack.deadlines.calendar) for each in starts)


def _repeated(rule: DeadlineRule, record: RecordState, pack: RulePack, now: datetime) -> Iterator[Deadline]:
    """Those of each span between two notes that keep it, the one that is open now the last, until care ends.

    What was missed in an earlier span stays missed: a later note takes nothing back.
    """
    said = conditions(record) if rule.condition else []
    for start in _starts(rule, record):
        kept = sorted(each for each in _kept_at(rule, record, pack, start.at) if each > start.at)
        for since, until in zip((start.at, *kept), (*kept, None), strict=True):
            if since != start.at and record.ended_at is not None and since > record.ended_at:
                continue
            met = min((each for each in (until, record.ended_at) if each), default=None)
            for each in _of_span(rule, _Start(start.subject_id, since), met, record, pack, now):
                # What the patient's condition was then: a note that says another changes nothing that is over.
                at = min(each.due_at, until) if until else each.due_at
                if not rule.condition or rule.condition == condition_before(said, at):
                    yield each


def _of_span(
    rule: DeadlineRule, start: _Start, met_at: datetime | None, record: RecordState, pack: RulePack, now: datetime
) -> Iterator[Deadline]:
    """One for each time that the figure went by without a note, and the one that the span's end keeps, or that runs."""
    for _ in range(MISSES_IN_A_SPAN_MAX):
        found = _deadline(rule, start, met_at, record, pack)
        yield found
        if not found.missed(now):
            return
        start = _Start(start.subject_id, found.due_at)


def _deadline(
    rule: DeadlineRule, start: _Start, met_at: datetime | None, record: RecordState, pack: RulePack
) -> Deadline:
    calendar = pack.deadlines.calendar
    own = (rule.due(start.at, calendar), rule.source)
    # The source is that of the figure that makes the date.
    due, source = max((own, *_owed_before_filing(rule, start, record, pack)), key=lambda each: each[0])
    by_days = rule.unit == "working_days"
    undated = by_days and calendar.undated(own[0])
    return Deadline(rule.id, start.subject_id, start.at, due, met_at, source, by_days, undated)


def _owed_before_filing(
    rule: DeadlineRule, start: _Start, record: RecordState, pack: RulePack
) -> Iterator[tuple[datetime, str]]:
    """When what a death owes is due, and by which source: no record is missing while that may still be written."""
    if rule.stop != "submission" or record.disposition is not Disposition.DEATH:
        return
    for each in pack.deadlines.rules:
        if each.start == "death" and each.stop == "entry" and record.visit_type in each.visits:
            yield each.due(start.at, pack.deadlines.calendar), each.source


def _starts(rule: DeadlineRule, record: RecordState) -> Iterator[_Start]:
    match rule.start:
        case "care_started" if record.started_at:
            yield _Start(None, record.started_at)
        case "team_took_over" if record.started_at and record.team_began:
            yield _Start(None, record.started_at)
        case "department_transferred" if record.moves:
            # Each department owes its own note; who moved on in time left none behind.
            moved = [each.moved_at for each in record.moves]
            yield from (_Start(None, *span) for span in zip(moved, (*moved[1:], None), strict=True))
        case "department_left":
            yield from (_Start(None, each.moved_at) for each in record.moves)
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
            begun = (each for each in entries if not each.retracted and not each.versions[0].historical)
            yield from (_Start(each.entry_id, _counted_from(rule, each)) for each in begun)
        case _:
            return


def _counted_from(rule: DeadlineRule, entry: Entry) -> datetime:
    """When what an entry says happened; of what lasts, when its end is said, else its beginning."""
    fields = (each for section in entry.last.content.sections for each in section.fields)
    said = next((each.time for each in fields if rule.start_field and each.code == rule.start_field), None)
    # Nobody gains time by an end that lies ahead, and none lies before its beginning.
    return entry.happened_at if said is None else max(entry.happened_at, min(said, entry.last.recorded_at))


def _met_at(rule: DeadlineRule, start: _Start, record: RecordState, pack: RulePack) -> datetime | None:
    match rule.stop:
        case "arrival" | "answer":
            asked = record.consultations.get(start.subject_id) if start.subject_id else None
            if asked is None:
                return None
            came = asked.arrived_at if rule.stop == "arrival" else None
            return came or asked.answered_at or asked.withdrawn_at
        case "submission":
            return record.archiving.submitted_at
        case "physician":
            return record.physician_named_at
        case _:
            ends = (*_kept_at(rule, record, pack, start.at), *((start.until,) if start.until else ()))
            return min(ends, default=None)


def _kept_at(
    rule: DeadlineRule, record: RecordState, pack: RulePack, since: datetime, subject: UUID | None = None
) -> Iterator[datetime]:
    """When entries that keep the rule came, by the ledger's clock: those about one subject, None = the patient."""
    barred = pack.short_stay.not_yet_in_place(record) if pack.short_stay else frozenset[str]()
    templates = frozenset(rule.templates) - barred
    for entry in about(record, subject):
        if entry.retracted or entry.last.content.template not in templates:
            continue
        at = signed_at(entry)
        if at is not None and (rule.start != "department_transferred" or at >= since):
            yield at


def signed_at(entry: Entry) -> datetime | None:
    """When it was in the ledger as more than a draft; None = it is one still."""
    return next((each.recorded_at for each in entry.versions if each.state is not EntryState.DRAFT), None)


def false_reports(record: RecordState, pack: RulePack, now: datetime) -> list[Missed]:
    """What was reported as missed and, by the record as it is now, was not."""
    missed = {(each.rule, each.subject_id, each.due_at) for each in deadlines(record, pack, now) if each.missed(now)}
    reported = (each for each in record.overlays.missed if (each.rule, each.subject_id, each.due_at) not in missed)
    return sorted(reported, key=lambda each: (each.due_at, each.rule, str(each.subject_id)))
