"""Days off are announced year by year: a record's days are counted by the calendar of today, whatever its pack said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from ledger.domain.commands import EndCare
from ledger.domain.course_commands import ReportMissedDeadline, WithdrawMissedDeadline
from ledger.domain.deadline_rules import Calendar
from ledger.domain.deadlines import Deadline, deadlines, false_reports
from ledger.domain.defaults import default_pack, shipped_rules
from ledger.domain.hospital_rules import HospitalRules
from ledger.domain.rule_pack import RulePack
from ledger.domain.rulebook import AddedPack, PackLayer, PackText, RulebookState
from ledger.domain.values import Disposition
from tests.unit.domain.given import ARCHIVIST, CLOCK, NOW, RECORD, Stream
from tests.unit.domain.test_deadlines import SECOND, under_care

PACK = default_pack("cn-2010")
FESTIVAL = ", ".join(f"2027-02-{day:02}" for day in range(5, 12))
YEAR_2027 = (
    'id = "days-2027"\nversion = 1\nextends = "cn-2010@1"\n'
    f"[calendar]\nholidays = [2026-12-31, {FESTIVAL}]\nmake_up_days = []\n"
)
DISCHARGED = datetime(2027, 2, 4, 7, tzinfo=UTC)
"""A Thursday afternoon in Shanghai; the festival of this test begins on the next day."""
WITHOUT_FESTIVAL = datetime(2027, 2, 8, 15, 59, 59, tzinfo=UTC)
WITH_FESTIVAL = datetime(2027, 2, 15, 15, 59, 59, tzinfo=UTC)


def rules(text: str = YEAR_2027) -> HospitalRules:
    """The rules of a hospital that has chosen another pack since."""
    base = shipped_rules().packs["cn-2010", 1]
    added = PackText("days-2027", 1, text, b"", (PackLayer(base.id, base.version, base.text, base.sha256),))
    book = RulebookState(packs={added.name: AddedPack(added, ARCHIVIST, NOW)}, chosen=added.name)
    return HospitalRules(shipped_rules(), "cn-2010", book)


def discharged() -> Stream:
    """A record of cn-2010 whose filing is due in a year that its pack knows nothing of."""
    stream = under_care()
    stream.when(EndCare(RECORD, Disposition.HOME, DISCHARGED), now=DISCHARGED, occurred_at=DISCHARGED)
    return stream


def filing(stream: Stream, pack: RulePack) -> Deadline:
    """The record's term of filing."""
    return next(each for each in deadlines(stream.record, pack, NOW) if each.rule == "filing")


def test_a_record_goes_by_the_calendar_in_force_and_by_nothing_else_of_it() -> None:
    """Its own pack stays its own: figures, mandatory entries and name."""
    stream, changed = discharged(), YEAR_2027.replace("[calendar]", '[retention.INPATIENT]\nclass = "x"\n[calendar]')
    pack = rules(changed.replace('class = "x"', 'class = "x"\nyears = 40\nsource = "x"\nunconfirmed = true'))
    found = pack.for_stream(stream.record)
    assert pack.for_stream(None).retention[stream.record.visit_type].name == "x"
    assert (found.id, found.version, found.retention) == (PACK.id, PACK.version, PACK.retention)
    assert found.deadlines.rules == PACK.deadlines.rules
    assert date(2027, 2, 5) in found.deadlines.calendar.holidays
    assert all(each.only_if_past.calendar == found.deadlines.calendar for each in found.mandatory if each.only_if_past)


@pytest.mark.parametrize(("step", "missed"), [(-SECOND, False), (0 * SECOND, False), (SECOND, True)])
def test_what_is_due_after_the_years_end_follows_the_new_calendar(step: timedelta, *, missed: bool) -> None:
    """The last second of the second day that is worked after the festival."""
    found = filing(discharged(), rules().for_stream(discharged().record))
    assert (found.due_at, found.undated, found.in_working_days) == (WITH_FESTIVAL, False, True)
    assert found.missed(WITH_FESTIVAL + step) is missed


def test_a_report_by_the_old_calendar_is_withdrawn_by_the_new_one() -> None:
    """What was called missed in the festival was not."""
    stream, late = discharged(), WITHOUT_FESTIVAL + SECOND
    stream.when(ReportMissedDeadline(RECORD, "filing", None, WITHOUT_FESTIVAL), now=late, actor=CLOCK)
    by_new = rules().for_stream(stream.record)
    assert false_reports(stream.record, PACK, late) == []
    assert [each.rule for each in false_reports(stream.record, by_new, late)] == ["filing"]
    stream.when(WithdrawMissedDeadline(RECORD, "filing", None, WITHOUT_FESTIVAL), now=late, actor=CLOCK, pack=by_new)
    assert stream.last_events == ["DeadlineMissWithdrawn"]


def test_care_waits_for_no_calendar() -> None:
    """Where the pack in force cannot be read, or is not there, a record goes by its own."""
    stream = discharged()
    for known in (rules("id = 1"), HospitalRules(shipped_rules(), "mars-2199", None)):
        assert known.for_stream(stream.record) == PACK


@pytest.mark.parametrize(
    ("moment", "undated"),
    [
        (datetime(2026, 12, 31, 15, 59, 58, tzinfo=UTC), False),
        (datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 12, 31, 16, tzinfo=UTC), True),
    ],
)
def test_a_calendar_ends_with_its_last_dated_year(moment: datetime, *, undated: bool) -> None:
    """By the hospital's clocks; one that dates nothing has no end that anybody could be told of."""
    calendar = PACK.deadlines.calendar
    assert calendar.dated_until == date(2026, 12, 31)
    assert calendar.undated(moment) is undated
    assert Calendar().dated_until is None
    assert not Calendar().undated(moment)
    make_up = Calendar(make_up_days=frozenset({date(2028, 1, 2)}))
    assert make_up.dated_until == date(2028, 12, 31)


def test_a_term_in_a_year_without_dates_says_so() -> None:
    """In working days alone: hours and days need no calendar."""
    stream = discharged()
    assert filing(stream, PACK).undated
    found = deadlines(stream.record, PACK, NOW)
    assert [each.rule for each in found if each.undated] == ["filing"]
    assert [each.rule for each in found if each.in_working_days] == ["filing"]
    weekends = PACK.counted_by(replace(PACK.deadlines.calendar, holidays=frozenset(), make_up_days=frozenset()))
    assert not filing(stream, weekends).undated
