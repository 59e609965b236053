"""Deadlines as a rule pack sets them: start event, figure, unit, calendar and stop event, each with its source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ledger.domain.values import VisitType

STARTS = frozenset(
    {
        "care_started",
        "team_took_over",
        "department_transferred",
        "department_left",
        "care_ended",
        "death",
        "emergency_consultation",
        "routine_consultation",
        "entry",
    }
)
OWN_NOTE = frozenset({"entry", "department_left"})
"""Starts of which each owes a note of its own, where the rule stops by an entry."""
STOPS = frozenset({"entry", "filed", "arrival", "answer", "submission", "physician"})
UNITS = frozenset({"minutes", "hours", "days", "working_days"})
_SATURDAY = 5


@dataclass(frozen=True)
class Calendar:
    """The working days of a hospital, in its time zone."""

    zone: str = "UTC"
    holidays: frozenset[date] = frozenset()
    make_up_days: frozenset[date] = frozenset()
    """Days of a weekend that are worked in place of a holiday."""

    def day_of(self, moment: datetime) -> date:
        """The day on which the hospital's clocks stand at that moment."""
        return moment.astimezone(ZoneInfo(self.zone)).date()

    def first_moment(self, day: date) -> datetime:
        """When the day begins by the hospital's clocks, in UTC."""
        return datetime.combine(day, time(), ZoneInfo(self.zone)).astimezone(UTC)

    def years_after(self, moment: datetime, years: int) -> date:
        """The same day so many calendar years later, in the hospital's zone; of 29 February the 1st of March."""
        day = self.day_of(moment)
        try:
            return day.replace(year=day.year + years)
        except ValueError:
            return date(day.year + years, 3, 1)

    @property
    def dated_until(self) -> date | None:
        """The last day of the years whose days off it knows; None where it knows of none at all."""
        known = self.holidays | self.make_up_days
        return date(max(known).year, 12, 31) if known else None

    def undated(self, moment: datetime) -> bool:
        """Whether it lies in a year whose days off are not known yet, where those of others are."""
        return self.dated_until is not None and self.day_of(moment) > self.dated_until

    def works_on(self, day: date) -> bool:
        """Whether it is a working day."""
        return day in self.make_up_days or (day.weekday() < _SATURDAY and day not in self.holidays)

    def after_working_days(self, since: datetime, days: int) -> datetime:
        """The last second of the n-th working day after the day of `since`."""
        return datetime.combine(self.working_day_after(self.day_of(since), days), time(23, 59, 59), ZoneInfo(self.zone))

    def working_day_after(self, day: date, days: int) -> date:
        """The n-th working day after this one."""
        left = days
        while left:
            day += timedelta(days=1)
            left -= self.works_on(day)
        return day


@dataclass(frozen=True)
class DeadlineRule:
    """One deadline of a pack."""

    id: str
    start: str
    stop: str
    figure: int
    unit: str
    source: str
    visits: frozenset[VisitType]
    templates: tuple[str, ...] = ()
    """Entries that keep it, any of them, where it stops by an entry."""
    start_template: str = ""
    """The entry that starts it, where it starts by an entry."""
    start_field: str = ""
    """A field of that entry which says from when it is counted; empty = from when the entry says it happened."""
    repeats: bool = False
    """Each entry that keeps it starts it anew, for as long as care goes on."""
    condition: str = ""
    """The patient's condition, as the last note that says one codes it; empty = whatever it is."""
    ends_with_stay: bool = False
    """Who has left, or died, before it was due owes it no more."""
    opens_after: int | None = None
    """A note keeps it from so many of its units after its start; None = one from before the first start does, too."""

    def due(self, since: datetime, calendar: Calendar) -> datetime:
        """The last second that is in time."""
        if self.unit == "working_days":
            return calendar.after_working_days(since, self.figure)
        return since + timedelta(**{self.unit: self.figure})

    def opens(self, since: datetime) -> datetime:
        """From when a note can keep it, where the pack says so."""
        return since + timedelta(**{self.unit: self.opens_after or 0})


@dataclass(frozen=True)
class DeadlineRules:
    """All deadlines of a pack and the calendar that they are counted by."""

    rules: tuple[DeadlineRule, ...] = ()
    calendar: Calendar = field(default_factory=Calendar)

    @classmethod
    def from_data(cls, data: Mapping[str, Any], faults: list[str]) -> DeadlineRules:
        """The rules in this data; what is wrong is added to the faults by name."""
        rules = tuple(_rule(index, table, faults) for index, table in enumerate(data.get("deadline", ())))
        ids = [each.id for each in rules]
        faults += [f"deadline.{each}: stands twice" for each in sorted({each for each in ids if ids.count(each) > 1})]
        return cls(rules, _calendar(data.get("calendar", {}), faults))


def _rule(index: int, table: Mapping[str, Any], faults: list[str]) -> DeadlineRule:
    where = f"deadline[{index}]"
    # What is wrong with the figure or its source is said where all figures are read.
    figure = table.get("figure")
    for name, among in (("start", STARTS), ("stop", STOPS), ("unit", UNITS)):
        if table.get(name) not in among:
            faults.append(f"{where}.{name}: one of {', '.join(sorted(among))}")
    if not isinstance(table.get("id"), str) or not table["id"]:
        faults.append(f"{where}.id: a text is required")
    if table.get("stop") == "entry" and not table.get("templates"):
        faults.append(f"{where}.templates: the entries that keep it")
    if table.get("start") == "entry" and not table.get("start_template"):
        faults.append(f"{where}.start_template: the entry that starts it")
    if table.get("start_field") and table.get("start") in STARTS - {"entry"}:
        faults.append(f"{where}.start_field: a field of the entry that starts it")
    if table.get("stop") == "filed" and table.get("start") in STARTS - {"entry"}:
        faults.append(f"{where}.start: what is filed is an entry")
    if table.get("stop") == "physician" and table.get("start") in STARTS - {"team_took_over"}:
        faults.append(f"{where}.start: a physician is named after a team_took_over")
    faults += _opening(where, table)
    return DeadlineRule(
        id=str(table.get("id", "")),
        start=str(table.get("start", "")),
        stop=str(table.get("stop", "")),
        figure=figure if isinstance(figure, int) else 1,
        unit=str(table.get("unit", "")),
        source=str(table.get("source", "")),
        visits=frozenset(_visits(where, table.get("visits", ["INPATIENT"]), faults)),
        templates=tuple(table.get("templates", ())),
        start_template=str(table.get("start_template", "")),
        start_field=str(table.get("start_field", "")),
        repeats=bool(table.get("repeats", False)),
        condition=str(table.get("condition", "")),
        ends_with_stay=bool(table.get("ends_with_stay", False)),
        opens_after=table.get("opens_after"),
    )


def _opening(where: str, table: Mapping[str, Any]) -> Iterable[str]:
    opens = table.get("opens_after")
    if opens is None:
        return
    if table.get("start") not in OWN_NOTE or table.get("stop") != "entry" or table.get("unit") == "working_days":
        yield f"{where}.opens_after: of a note that each start owes, counted in minutes, hours or days"
    if not isinstance(opens, int) or isinstance(opens, bool) or not 0 <= opens < _at_least_1(table.get("figure")):
        yield f"{where}.opens_after: a whole number from 0, less than the figure"


def _at_least_1(figure: Any) -> int:
    return figure if isinstance(figure, int) else 1


def _visits(where: str, names: Iterable[str], faults: list[str]) -> Iterable[VisitType]:
    for name in names:
        if name in VisitType.__members__:
            yield VisitType(name)
        else:
            faults.append(f"{where}.visits: no such visit type {name}")


def _calendar(data: Mapping[str, Any], faults: list[str]) -> Calendar:
    zone = data.get("zone", "UTC")
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, TypeError, OSError):
        faults.append("calendar.zone: no such time zone")
        zone = "UTC"
    return Calendar(zone, _days(data, "holidays", faults), _days(data, "make_up_days", faults))


def _days(data: Mapping[str, Any], name: str, faults: list[str]) -> frozenset[date]:
    days = data.get(name, [])
    if not all(isinstance(each, date) for each in days):
        faults.append(f"calendar.{name}: dates are required")
        return frozenset()
    return frozenset(days)
