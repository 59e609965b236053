"""What a clock asks over a whole stay: it ends with it, counts what was written in its own time, and every silence."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from ledger.domain.commands import EndCare, TransferDepartment
from ledger.domain.course_commands import ReportMissedDeadline, ResumeCare, WithdrawMissedDeadline
from ledger.domain.deadline_rules import DeadlineRules
from ledger.domain.deadlines import MISSES_IN_A_SPAN_MAX, Deadline, deadlines, false_reports
from ledger.domain.values import Disposition, EntryContent
from tests.unit.domain.given import CLOCK, NOW, PHYSICIAN, RECORD, Stream, narrative, note
from tests.unit.domain.test_deadlines import FIGURES, HOUR, PACK, SECOND, in_condition, under_care

DAY = timedelta(days=1)
LATER = NOW + 400 * DAY
OPERATED = narrative("operation_end", "note")
HANDED_OVER = narrative("handover_note", "course", "open_points")
OF_THE_STAY = {
    "takeover_note": HANDED_OVER,
    "postoperative_day_1": OPERATED,
    "postoperative_day_2": OPERATED,
    "postoperative_day_3": OPERATED,
}
OWED_ALL_THE_SAME = ("operation_record", "postoperative_first_note")
OPENS = {"postoperative_first_note": 0, "postoperative_day_1": 0, "postoperative_day_2": 1, "postoperative_day_3": 2}
FIRST_NOTE = ("operation", "measures", "observe")


def after_operation(rule: str) -> EntryContent:
    """The note that a rule asks for."""
    return narrative(rule.replace("day", "note"), *(FIRST_NOTE if rule == "postoperative_first_note" else ("note",)))


def of(stream: Stream, rule: str, now: datetime = LATER) -> list[Deadline]:
    """The deadlines of one rule as they are then."""
    return [each for each in deadlines(stream.record, PACK, now) if each.rule == rule]


def ended(stream: Stream, at: datetime, disposition: Disposition = Disposition.DEATH) -> None:
    """Ends care then."""
    stream.when(EndCare(RECORD, disposition, at), now=at, occurred_at=at)


@pytest.mark.parametrize("disposition", [Disposition.HOME, Disposition.DEATH])
@pytest.mark.parametrize("rule", [*OF_THE_STAY, "transfer_in_note"])
@pytest.mark.parametrize(("after_due", "missed"), [(-SECOND, False), (0 * SECOND, False), (SECOND, True)])
def test_who_left_or_died_after_an_operation_or_a_move_owes_no_later_note(
    rule: str, disposition: Disposition, after_due: timedelta, *, missed: bool
) -> None:
    """One second before it was due, and at it, the end of the stay ends it; one second after it was missed."""
    stream = under_care()
    if rule in OF_THE_STAY:
        stream.entry(OF_THE_STAY[rule])
    else:
        stream.when(TransferDepartment(RECORD, "neurology", "2", None, PHYSICIAN))
    ended(stream, NOW + FIGURES[rule] + after_due, disposition)
    assert [each.missed(LATER) for each in of(stream, rule)] == [missed]


def test_a_late_note_of_who_has_left_misses_nothing() -> None:
    """It was owed no more when it came."""
    stream = under_care()
    stream.entry(OPERATED)
    ended(stream, NOW + 5 * HOUR)
    stream.entry(narrative("postoperative_note_1", "note"), now=NOW + 30 * HOUR)
    assert [each.missed(LATER) for each in of(stream, "postoperative_day_1")] == [False]


def test_what_an_operation_itself_owes_is_owed_of_the_dead_too() -> None:
    """Its record, and the note at once after it: they tell what was, not how the patient goes on."""
    stream = under_care()
    stream.entry(OPERATED)
    ended(stream, NOW + HOUR)
    assert all(each.missed(LATER) for rule in OWED_ALL_THE_SAME for each in of(stream, rule))


def test_a_false_report_goes_when_the_stay_turns_out_to_have_ended() -> None:
    """The end was entered late; when the discharge is withdrawn the note is owed again."""
    stream, late = under_care(), NOW + 30 * HOUR
    stream.entry(OPERATED)
    (found,) = of(stream, "postoperative_day_1")
    stream.when(ReportMissedDeadline(RECORD, found.rule, found.subject_id, found.due_at), now=late, actor=CLOCK)
    stream.when(EndCare(RECORD, Disposition.HOME, NOW + 20 * HOUR), now=late)
    stream.when(WithdrawMissedDeadline(RECORD, found.rule, found.subject_id, found.due_at), now=late, actor=CLOCK)
    stream.when(ResumeCare(RECORD, "bleeding again"), now=late)
    assert [each.missed(late) for each in of(stream, "postoperative_day_1")] == [True]


@pytest.mark.parametrize("rule", OPENS)
@pytest.mark.parametrize(("step", "keeps"), [(-SECOND, False), (0 * SECOND, True), (SECOND, True)])
def test_a_note_after_an_operation_counts_from_the_start_of_its_own_day(
    rule: str, step: timedelta, *, keeps: bool
) -> None:
    """One second before its day it keeps nothing; a later note does."""
    stream = under_care()
    stream.entry(OPERATED)
    stream.entry(after_operation(rule), now=NOW + OPENS[rule] * DAY + step)
    assert [each.missed(LATER) for each in of(stream, rule)] == [not keeps]
    stream.entry(after_operation(rule), now=NOW + FIGURES[rule])
    assert [each.missed(LATER) for each in of(stream, rule)] == [False]


def test_notes_written_ahead_keep_no_day() -> None:
    """All in the first hour keep the first day; all before the operation none: of what follows nothing was seen."""
    stream = under_care()
    stream.entry(OPERATED)
    for rule in OPENS:
        stream.entry(after_operation(rule), now=NOW + HOUR)
    assert [each.missed(LATER) for rule in OPENS for each in of(stream, rule)] == [False, False, True, True]
    early = under_care()
    for rule in OPENS:
        early.entry(after_operation(rule))
    early.entry(OPERATED, now=NOW + SECOND)
    assert all(each.missed(LATER) for rule in OPENS for each in of(early, rule))


@pytest.mark.parametrize(("step", "missed"), [(-SECOND, 9), (0 * SECOND, 9), (SECOND, 10)])
def test_every_day_without_a_note_of_a_critical_patient_is_a_miss(step: timedelta, missed: int) -> None:
    """Ten silent days are ten misses, the tenth one second after its day; each is counted from the one before."""
    stream, now = under_care(), NOW + 10 * DAY + step
    stream.entry(in_condition("critical"))
    found = of(stream, "course_note_critical", now)
    assert [each.missed(now) for each in found] == [True] * missed + [False]
    assert [each.due_at for each in found] == [NOW + day * DAY for day in range(1, missed + 2)]
    assert [each.since for each in found] == [each.due_at - DAY for each in found]
    ninth = found[8]
    stream.when(ReportMissedDeadline(RECORD, ninth.rule, None, ninth.due_at), now=NOW + 10 * DAY, actor=CLOCK)
    assert false_reports(stream.record, PACK, LATER) == []


def test_a_note_after_a_silence_leaves_its_misses_and_begins_anew() -> None:
    """What it came in time for is kept; the days before stay missed, whatever it says of the patient."""
    stream, at = under_care(), NOW + 75 * HOUR
    stream.entry(in_condition("critical"))
    stream.entry(in_condition("stable"), now=at)
    found = of(stream, "course_note_critical", at)
    assert [each.missed(at) for each in found] == [True, True, True, False]
    assert found[-1].met_at == at


@pytest.mark.parametrize(("days", "missed"), [(30, 0), (31, 1), (90, 2), (95, 3)])
def test_every_month_without_a_summary_is_a_miss(days: int, missed: int) -> None:
    """Of a stay of 95 days three, until care ends."""
    stream = under_care()
    ended(stream, NOW + days * DAY)
    assert sum(each.missed(LATER) for each in of(stream, "stage_summary")) == missed


def test_a_stay_that_nobody_ended_is_not_missed_for_ever() -> None:
    """A span has a limit, after which a note begins the next."""
    stream = under_care()
    stream.entry(in_condition("critical"))
    assert len(of(stream, "course_note_critical", NOW + 3_000 * DAY)) == MISSES_IN_A_SPAN_MAX
    stream.entry(note(), now=NOW + 3_000 * DAY)
    assert not of(stream, "course_note_critical", NOW + 3_000 * DAY)[-1].missed(NOW + 3_001 * DAY)


@pytest.mark.parametrize(("lasted", "missed"), [(-SECOND, False), (0 * SECOND, False), (SECOND, True)])
def test_the_record_of_24_hours_keeps_no_clock_of_a_longer_stay(lasted: timedelta, *, missed: bool) -> None:
    """One second before, and at, the figure it stands for admission and discharge record; longer for none."""
    stream = under_care()
    stream.entry(narrative("in_out_24h_record", "admission", "course", "discharge"), now=NOW + 3 * HOUR)
    ended(stream, NOW + 24 * HOUR + lasted, Disposition.HOME)
    for rule in ("admission_record", "discharge_record"):
        assert [each.missed(LATER) for each in of(stream, rule)] == [missed], rule


def test_while_a_stay_goes_on_no_record_of_24_hours_stops_a_clock() -> None:
    """The admission record is missed in time for somebody to write it, not at the discharge of five days later."""
    stream, over = under_care(), NOW + 24 * HOUR
    stream.entry(narrative("in_out_24h_record", "admission", "course", "discharge"), now=NOW + 3 * HOUR)
    (found,) = of(stream, "admission_record")
    assert [found.missed(over + each) for each in (-SECOND, 0 * SECOND, SECOND)] == [False, False, True]


@pytest.mark.parametrize(
    "changes",
    [{"opens_after": 2}, {"opens_after": -1}, {"opens_after": True}, {"unit": "working_days"}, {"start": "care_ended"}],
)
def test_when_a_note_counts_is_checked_with_the_pack(changes: dict[str, Any]) -> None:
    """It begins within the term, and only where each start owes a note of its own."""
    rule = {"id": "x", "start": "entry", "start_template": "operation_end", "stop": "entry", "templates": ["general"]}
    rule |= {"figure": 2, "unit": "days", "opens_after": 1}
    for table, faulty in ((rule, False), (rule | changes, True)):
        faults: list[str] = []
        DeadlineRules.from_data({"deadline": [table]}, faults)
        assert any("opens_after" in each for each in faults) is faulty
