"""The clocks of the packs: every figure at its boundary, calendars, corrected starts, what they never run on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ledger.domain.commands import (
    AnswerConsultation,
    EndCare,
    RequestConsultation,
    StartCare,
    SubmitRecord,
    TransferDepartment,
)
from ledger.domain.course_commands import (
    ArriveAtConsultation,
    RecallRecord,
    ReportMissedDeadline,
    ResumeCare,
    WithdrawMissedDeadline,
)
from ledger.domain.deadline_rules import Calendar, DeadlineRule, DeadlineRules
from ledger.domain.deadlines import Deadline, deadlines, false_reports
from ledger.domain.defaults import default_pack
from ledger.domain.values import Coding, Disposition, EntryContent, Field, Section, Urgency, VisitType
from tests.unit.domain.given import (
    CLOCK,
    MANDATORY,
    NOW,
    PHYSICIAN,
    RECORD,
    Stream,
    by_a_team,
    closed,
    imported,
    narrative,
    note,
    registered,
    signed,
)

PACK = default_pack("cn-2010")
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
SECTIONS = {
    "handover_note": ("course", "open_points"),
    "rescue_order": ("note",),
    "operation_end": ("note",),
}
FIGURES = {
    "admission_record": timedelta(hours=24),
    "first_course_note": timedelta(hours=8),
    "physician_named": timedelta(hours=6),
    "first_attending_round": timedelta(hours=48),
    "course_note_critical": timedelta(days=1),
    "course_note_serious": timedelta(days=2),
    "course_note_stable": timedelta(days=3),
    "course_note_chronic": timedelta(days=5),
    "stage_summary": timedelta(days=30),
    "takeover_note": timedelta(hours=24),
    "transfer_in_note": timedelta(hours=24),
    "transfer_out_note": timedelta(hours=24),
    "rescue_record": timedelta(hours=6),
    "operation_record": timedelta(hours=24),
    "postoperative_first_note": timedelta(hours=6),
    "postoperative_day_1": timedelta(days=1),
    "postoperative_day_2": timedelta(days=2),
    "postoperative_day_3": timedelta(days=3),
    "discharge_record": timedelta(hours=24),
    "death_record": timedelta(hours=24),
    "death_discussion": timedelta(days=7),
    "front_page": timedelta(hours=24),
    "emergency_consultation": timedelta(minutes=10),
    "routine_consultation": timedelta(hours=48),
}
"""What lifecycle.md lists, written down a second time: a figure that moves in the pack is noticed here."""


def rescued(began_at: datetime, ended_at: datetime | None = None) -> tuple[EntryContent, datetime]:
    """A rescue that ended then, or of which nobody has said the end; and when it began."""
    end = Section("end", fields=(Field("rescue_end", time=ended_at),))
    told = (Section("note", "Resuscitated."), *((end,) if ended_at else ()))
    return EntryContent("rescue_order", 2, sections=told), began_at


RESCUED = rescued(NOW, NOW)[0]


def in_condition(code: str, template: str = "course_note") -> EntryContent:
    """A note that says how the patient is, by the template's own field."""
    said = Field("condition", coding=Coding("urn:ledger:condition", code))
    told = ("case_features", "assessment", "plan") if template == "first_course_note" else ("note",)
    sections = (*(Section(each, "As seen.") for each in told), Section("condition", fields=(said,)))
    return EntryContent(template, 2, sections=sections)


def begun(rule: DeadlineRule) -> Stream:
    """A record in which the rule's clock has just started, at NOW."""
    if rule.start == "team_took_over":
        return by_a_team()
    stream = registered()
    stream.when(StartCare(RECORD, "cardiology", "12", PHYSICIAN, ""))
    match rule.start:
        case "department_transferred" | "department_left":
            stream.when(TransferDepartment(RECORD, "neurology", "2", None, PHYSICIAN))
        case "care_ended":
            stream.when(EndCare(RECORD, Disposition.HOME, None))
        case "death":
            stream.when(EndCare(RECORD, Disposition.DEATH, None))
        case "emergency_consultation":
            stream.when(RequestConsultation(RECORD, "neurology", Urgency.EMERGENCY, "Why?"))
        case "routine_consultation":
            stream.when(RequestConsultation(RECORD, "neurology", Urgency.ROUTINE, "Why?"))
        case "entry":
            stream.entry(
                RESCUED if rule.start_field else narrative(rule.start_template, *SECTIONS[rule.start_template])
            )
        case _:
            pass
    if rule.condition:
        stream.entry(in_condition(rule.condition))
    return stream


def under_care() -> Stream:
    """A stay that begins now."""
    stream = registered()
    stream.when(StartCare(RECORD, "cardiology", "12", PHYSICIAN, ""))
    return stream


def the_deadline(stream: Stream, rule: str) -> Deadline:
    """The record's last deadline of a rule."""
    return [each for each in deadlines(stream.record, PACK, NOW) if each.rule == rule][-1]


@pytest.mark.parametrize(
    "rule", [each for each in PACK.deadlines.rules if each.id in FIGURES], ids=lambda each: each.id
)
def test_a_deadline_holds_at_its_second_and_is_missed_one_second_after(rule: DeadlineRule) -> None:
    """One second before and at the figure nothing is missed; one second later it is, and the report is taken."""
    stream = begun(rule)
    found, end = the_deadline(stream, rule.id), NOW + FIGURES[rule.id]
    assert found.due_at == end
    assert [found.missed(end + each) for each in (-SECOND, 0 * SECOND, SECOND)] == [False, False, True]
    report = ReportMissedDeadline(RECORD, rule.id, found.subject_id, found.due_at)
    assert ("rule", "NOT_MISSED") in stream.refused(report, now=end, actor=CLOCK)[1]
    stream.when(report, now=end + SECOND, actor=CLOCK)
    assert stream.last_events == ["DeadlineMissed"]
    stream.when(report, now=end + 2 * SECOND, actor=CLOCK)
    assert stream.last_events == [], "reported once"


def test_the_pack_has_every_figure() -> None:
    """None is added or dropped unseen; filing in working days, and that of results, have tests of their own."""
    assert {each.id for each in PACK.deadlines.rules} == FIGURES.keys() | {"filing", "result_filing"}
    assert all(each.source for each in PACK.deadlines.rules)


def test_what_is_there_in_time_is_kept_for_ever() -> None:
    """An entry recorded AT the deadline keeps it, whenever one looks."""
    stream = begun(rule_of("admission_record"))
    stream.entry(MANDATORY[0], now=NOW + timedelta(hours=24))
    assert not the_deadline(stream, "admission_record").missed(NOW + timedelta(days=400))


def test_a_late_entry_is_taken_and_stays_late() -> None:
    """Late entries are allowed and tagged, never blocked."""
    stream = begun(rule_of("admission_record"))
    stream.entry(MANDATORY[0], now=NOW + timedelta(hours=30))
    assert the_deadline(stream, "admission_record").missed(NOW + timedelta(hours=30))


def test_a_record_of_24_hours_replaces_admission_and_discharge_record() -> None:
    """One document keeps three deadlines, in a stay that ended before the first course note was due."""
    stream = begun(rule_of("admission_record"))
    stream.when(EndCare(RECORD, Disposition.HOME, None), now=NOW + timedelta(hours=5))
    stream.entry(narrative("in_out_24h_record", "admission", "course", "discharge"), now=NOW + timedelta(hours=6))
    late = NOW + timedelta(days=9)
    for rule in ("admission_record", "first_course_note", "discharge_record"):
        assert not the_deadline(stream, rule).missed(late), rule


def test_an_emergency_consultation_is_kept_by_arrival_and_a_routine_one_by_the_answer() -> None:
    """Each clock asks for what it is about."""
    stream = begun(rule_of("emergency_consultation"))
    consultation_id = next(iter(stream.record.consultations))
    stream.when(ArriveAtConsultation(RECORD, consultation_id), now=NOW + timedelta(minutes=10))
    assert not the_deadline(stream, "emergency_consultation").missed(NOW + timedelta(days=1))
    other = begun(rule_of("routine_consultation"))
    asked = next(iter(other.record.consultations))
    answer = AnswerConsultation(RECORD, asked, "So.", narrative("consultation", "opinion"), signed())
    other.when(answer, now=NOW + timedelta(hours=48, seconds=1))
    assert the_deadline(other, "routine_consultation").missed(NOW + timedelta(days=3))


def test_notes_by_condition_are_counted_from_the_last_one() -> None:
    """A stable patient's clock starts anew with each note and ends with care."""
    stream = begun(rule_of("course_note_stable"))
    stream.entry(note(), now=NOW + timedelta(days=2))
    assert the_deadline(stream, "course_note_stable").due_at == NOW + timedelta(days=5)
    stream.when(EndCare(RECORD, Disposition.HOME, None), now=NOW + timedelta(days=5))
    assert not the_deadline(stream, "course_note_stable").missed(NOW + timedelta(days=90))
    assert not [each for each in deadlines(stream.record, PACK, NOW) if each.rule == "course_note_critical"]


def test_a_late_note_takes_back_no_earlier_miss() -> None:
    """A note after the daily one was missed starts the next day's clock; what was reported stays missed."""
    stream = begun(rule_of("course_note_critical"))
    missed, late = the_deadline(stream, "course_note_critical"), NOW + timedelta(hours=30)
    stream.when(ReportMissedDeadline(RECORD, missed.rule, None, missed.due_at), now=late, actor=CLOCK)
    stream.entry(note(), now=late)
    assert the_deadline(stream, "course_note_critical").due_at == late + timedelta(days=1)
    assert false_reports(stream.record, PACK, late) == []
    withdraw = WithdrawMissedDeadline(RECORD, missed.rule, None, missed.due_at)
    assert ("rule", "STILL_MISSED") in stream.refused(withdraw, now=late, actor=CLOCK)[1]


def test_another_condition_takes_back_no_earlier_miss() -> None:
    """The daily note was missed while the patient was critical, whatever the next note says of the patient."""
    stream = begun(rule_of("course_note_critical"))
    stream.entry(in_condition("stable"), now=NOW + 30 * HOUR)
    found = [each for each in deadlines(stream.record, PACK, NOW) if each.rule.startswith("course_note_")]
    assert [(each.rule, each.missed(NOW + 31 * HOUR)) for each in found] == [
        ("course_note_critical", True),
        ("course_note_critical", False),
        ("course_note_stable", False),
    ]


def test_each_department_owes_its_own_transfer_in_note() -> None:
    """Two moves, two deadlines; whoever moved on in time left none behind."""
    stream = begun(rule_of("transfer_in_note"))
    stream.when(TransferDepartment(RECORD, "surgery", "3", None, PHYSICIAN), now=NOW + 10 * HOUR)
    found = [each for each in deadlines(stream.record, PACK, NOW) if each.rule == "transfer_in_note"]
    assert [each.missed(NOW + 35 * HOUR) for each in found] == [False, True]


def test_a_corrected_start_withdraws_a_false_report() -> None:
    """The discharge is withdrawn: what was reported as missed after it is taken back by a new event."""
    stream = begun(rule_of("front_page"))
    late = NOW + timedelta(hours=25)
    stream.when(ReportMissedDeadline(RECORD, "front_page", None, NOW + timedelta(hours=24)), now=late, actor=CLOCK)
    withdraw = WithdrawMissedDeadline(RECORD, "front_page", None, NOW + timedelta(hours=24))
    assert ("rule", "STILL_MISSED") in stream.refused(withdraw, now=late, actor=CLOCK)[1]
    stream.when(ResumeCare(RECORD, "bleeding again"), now=late)
    stream.when(withdraw, now=late, actor=CLOCK)
    assert stream.last_events == ["DeadlineMissWithdrawn"]
    assert not stream.record.overlays.missed


def test_clocks_never_run_on_what_an_earlier_system_recorded() -> None:
    """An imported record has no deadline."""
    assert deadlines(imported().record, PACK, NOW) == []


def test_a_record_is_not_late_while_the_discussion_of_the_death_may_still_be_written() -> None:
    """What a death owes is mandatory: filing is due with it, not before; where the working days end later, then."""
    stream = registered()
    stream.when(StartCare(RECORD, "cardiology", "12", PHYSICIAN, ""))
    ended = datetime(2026, 3, 2, 7, tzinfo=UTC)
    stream.when(EndCare(RECORD, Disposition.DEATH, None), now=ended, occurred_at=ended)
    assert the_deadline(stream, "filing").due_at == ended + timedelta(days=7)
    assert the_deadline(stream, "filing").due_at == the_deadline(stream, "death_discussion").due_at
    holidays = registered()
    holidays.when(StartCare(RECORD, "cardiology", "12", PHYSICIAN, ""))
    before_them = datetime(2026, 9, 30, 7, tzinfo=UTC)
    holidays.when(EndCare(RECORD, Disposition.DEATH, None), now=before_them, occurred_at=before_them)
    assert the_deadline(holidays, "filing").due_at == datetime(2026, 10, 9, 15, 59, 59, tzinfo=UTC)


def test_filing_is_counted_in_working_days_of_the_hospital() -> None:
    """Two working days after a discharge before a long holiday: make-up days count, weekends and holidays do not."""
    stream = registered()
    stream.when(StartCare(RECORD, "cardiology", "12", PHYSICIAN, ""))
    # Wednesday 30 September 2026, 15:00 in Shanghai; the 1st to the 7th are holidays.
    ended = datetime(2026, 9, 30, 7, tzinfo=UTC)
    stream.when(EndCare(RECORD, Disposition.HOME, None), now=ended, occurred_at=ended)
    found = the_deadline(stream, "filing")
    assert found.due_at == datetime(2026, 10, 9, 15, 59, 59, tzinfo=UTC)
    assert [found.missed(found.due_at + each) for each in (-SECOND, 0 * SECOND, SECOND)] == [False, False, True]
    for content in MANDATORY:
        stream.entry(content, now=ended)
    stream.when(SubmitRecord(RECORD), now=found.due_at)
    assert not the_deadline(stream, "filing").missed(found.due_at + timedelta(days=9))


@pytest.mark.parametrize(
    ("from_day", "to_day"),
    [((2, 13), (2, 14)), ((2, 14), (2, 24)), ((9, 18), (9, 20)), ((9, 30), (10, 8)), ((10, 9), (10, 10))],
)
def test_the_year_2026_as_it_was_announced(from_day: tuple[int, int], to_day: tuple[int, int]) -> None:
    """The next working day in China: weekends worked in the place of holidays, and the festivals themselves."""
    due = PACK.deadlines.calendar.after_working_days(datetime(2026, *from_day, 4, tzinfo=UTC), 1)
    assert due == datetime(2026, *to_day, 15, 59, 59, tzinfo=UTC)


def test_the_day_of_discharge_is_that_of_the_hospital() -> None:
    """Late in the evening in Shanghai is still the same day in UTC, and another calendar day."""
    calendar = Calendar("Asia/Shanghai")
    assert calendar.after_working_days(datetime(2026, 6, 1, 17, tzinfo=UTC), 1) == datetime(
        2026, 6, 3, 15, 59, 59, tzinfo=UTC
    )


def test_outpatients_have_no_ward_deadlines() -> None:
    """Visit types are part of a rule."""
    stream = registered(VisitType.OUTPATIENT)
    stream.when(StartCare(RECORD, "cardiology", "", PHYSICIAN, ""))
    assert deadlines(stream.record, PACK, NOW) == []


def test_every_fault_of_broken_rules_is_named() -> None:
    """A pack's faults come all at once, each with its place."""
    faults: list[str] = []
    DeadlineRules.from_data(
        {
            "deadline": [{"id": "a", "start": "x", "stop": "entry", "unit": "h", "visits": ["GUEST"]}] * 2,
            "calendar": {"zone": "Nowhere/Town", "holidays": ["2026-10-01"]},
        },
        faults,
    )
    for named in (
        "[0].start",
        "[0].unit",
        "[0].templates",
        "[0].visits",
        "a: stands twice",
    ):
        assert any(named in fault for fault in faults), named
    assert any("zone" in fault for fault in faults)
    assert any("holidays" in fault for fault in faults)


def rule_of(rule_id: str) -> DeadlineRule:
    """A rule of the pack."""
    return next(each for each in PACK.deadlines.rules if each.id == rule_id)


def test_who_left_or_died_before_a_note_was_due_owes_it_no_more() -> None:
    """After a stay of five hours no note of the later hours is missed; what was due during it stays missed."""
    stream = under_care()
    stream.when(EndCare(RECORD, Disposition.HOME, None), now=NOW + 5 * HOUR, occurred_at=NOW + 5 * HOUR)
    begun = {"admission_record", "first_course_note", "first_attending_round"}
    later = NOW + 200 * HOUR
    assert not [each.rule for each in deadlines(stream.record, PACK, NOW) if each.rule in begun and each.missed(later)]
    longer = under_care()
    longer.when(EndCare(RECORD, Disposition.DEATH, None), now=NOW + 20 * HOUR, occurred_at=NOW + 20 * HOUR)
    missed = [each.rule for each in deadlines(longer.record, PACK, NOW) if each.rule in begun and each.missed(later)]
    assert missed == ["first_course_note"]


def test_a_record_that_was_taken_back_was_not_handed_in() -> None:
    """Recalled, or with its discharge withdrawn, its filing is due again."""
    stream = closed()
    stream.when(SubmitRecord(RECORD))
    stream.when(RecallRecord(RECORD, "a page is missing"))
    (filing,) = [each for each in deadlines(stream.record, PACK, NOW) if each.rule == "filing"]
    assert filing.met_at is None
    stream.when(ResumeCare(RECORD, "bleeding again"))
    assert stream.record.archiving.submitted_at is None


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("Asia/Shanghai", date(2041, 3, 2), datetime(2041, 3, 1, 16, tzinfo=UTC)),
        ("America/New_York", date(2041, 7, 2), datetime(2041, 7, 2, 4, tzinfo=UTC)),
        # A midnight that the clocks leap over, and one that they strike twice.
        ("America/Sao_Paulo", date(2018, 11, 4), datetime(2018, 11, 4, 3, tzinfo=UTC)),
        ("America/Havana", date(2026, 11, 1), datetime(2026, 11, 1, 4, tzinfo=UTC)),
    ],
)
def test_a_day_begins_by_the_hospitals_clocks(zone: str, day: date, begins: datetime) -> None:
    """Its first moment is of that day, and a second before it is not."""
    calendar = Calendar(zone)
    assert calendar.first_moment(day) == begins
    assert calendar.day_of(begins) == day
    assert calendar.day_of(begins - timedelta(seconds=1)) == day - timedelta(days=1)
