"""A day of a hospital, a region, a country, in events and bytes: `python -m benchmarks.model.day` prints the tables.

Beds, stays and visits are from statistics; how many events a day of care makes is assumed, and every assumption is a
field here. `docs/scale.md` holds what this prints; a test compares them.
"""

from __future__ import annotations

from dataclasses import dataclass

DAYS = 365
PEAK_HOUR = 0.15
"""Share of a day's events that come in its busiest hour. Assumed: rounds and discharges before noon."""


@dataclass(frozen=True)
class Care:
    """What care makes, per bed and per event. Source: see `docs/scale.md`."""

    admissions_per_bed: float = 201e6 / 7.414e6
    """A year, hospitals in China 2021."""
    visits_per_bed: float = 3.88e9 / 7.414e6
    """Outpatient and emergency visits a year for each bed of a hospital."""
    occupancy: float = 0.75
    """Share of beds in use, hospitals in China 2021."""
    events_per_day_of_care: float = 12.0
    """Assumed: three notes, six nursing records, three groups of results."""
    events_per_stay: float = 15.0
    """Assumed: registration, care, moves, consultation, end, quality, archive."""
    events_per_visit: float = 6.0
    """Assumed: registration, start, two entries, end, archive."""

    def events_per_day(self, beds: float) -> float:
        """Of a hospital with so many beds."""
        inpatient = beds * self.occupancy * self.events_per_day_of_care
        stays = beds * self.admissions_per_bed / DAYS * self.events_per_stay
        return inpatient + stays + beds * self.visits_per_bed / DAYS * self.events_per_visit

    def records_per_day(self, beds: float) -> float:
        """Records that begin."""
        return beds * (self.admissions_per_bed + self.visits_per_bed) / DAYS


@dataclass(frozen=True)
class Bytes:
    """What one event takes, bytes: as in the demo, where a sealed body has 1,195 bytes on average."""

    stored: float = 2_100.0
    """In PostgreSQL, with indexes, heads and command ids. Estimated: body, envelope and 700 bytes."""
    logged: float = 1_620.0
    """In the log's files: envelope, sealed body, hashes. Measured in the demo's folder; record maps come on top."""
    published: float = 1_580.0
    """In one replica of the topic. Measured in the demo's folder."""

    @property
    def kept(self) -> float:
        """For good: the topic is kept for a time only."""
        return self.stored + self.logged


@dataclass(frozen=True)
class Place:
    """A ledger service for so many beds."""

    name: str
    hospitals: int
    beds: float


PLACES = (
    Place("a county hospital", 1, 500),
    Place("a large hospital", 1, 2_000),
    Place("a region", 300, 300 * 203),
    Place("a country", 36_570, 7.414e6),
)


@dataclass(frozen=True)
class Capacity:
    """Events a second that one unit carries here; how each figure is known says `docs/scale.md`."""

    part: str
    per_second: float
    unit: str


CAPACITIES = (
    Capacity("`ledger serve`", 1_250.0, "process of one core"),
    Capacity("append in PostgreSQL", 20_000.0, "server, here with one core"),
    Capacity("publishing", 8_000.0, "publisher process"),
    Capacity("a view", 5_000.0, "projector process and view"),
    Capacity("integrating and signing", 17_000.0, "process, one checkpoint a second"),
)
SPARE = 0.5
"""Share of a capacity that is planned with: the rest is for failures and rebuilds."""


def load_table(care: Care, size: Bytes) -> str:
    """Events and bytes of each place."""
    rows = [
        "| place | beds | events a day | in the busiest hour, per second | records a year | kept a year |",
        "|---|---|---|---|---|---|",
    ]
    for each in PLACES:
        a_day = care.events_per_day(each.beds)
        records, kept = care.records_per_day(each.beds) * DAYS, a_day * DAYS * size.kept
        rows.append(
            f"| {each.name} ({each.hospitals:,}) | {each.beds:,.0f} | {_round(a_day)} | {_peak(a_day):,.1f} |"
            f" {_round(records)} | {_bytes(kept)} |"
        )
    return "\n".join(rows)


def unit_table(care: Care) -> str:
    """How many units of each part each place needs in its busiest hour."""
    rows = [
        "| part | one unit | carries, events/s | " + " | ".join(each.name for each in PLACES) + " |",
        "|---|---|---|" + "---|" * len(PLACES),
    ]
    for part in CAPACITIES:
        needed = [_peak(care.events_per_day(each.beds)) / (part.per_second * SPARE) for each in PLACES]
        units = " | ".join(f"{each:,.3f}" if each < 1 else f"{each:,.1f}" for each in needed)
        rows.append(f"| {part.part} | {part.unit} | {part.per_second:,.0f} | {units} |")
    return "\n".join(rows)


def record_line(care: Care, size: Bytes) -> str:
    """What one inpatient record is."""
    days = care.occupancy * DAYS / care.admissions_per_bed
    events = days * care.events_per_day_of_care + care.events_per_stay
    return (
        f"An inpatient record of {days:.1f} days is {events:.0f} events, {_bytes(events * size.kept)} kept for good; a"
        f" visit is {care.events_per_visit:.0f} events, {_bytes(care.events_per_visit * size.kept)}."
    )


def _peak(events_per_day: float) -> float:
    return events_per_day * PEAK_HOUR / 3_600


def _round(number: float) -> str:
    for unit, size in (("billion", 1e9), ("million", 1e6), ("thousand", 1e3)):
        if number >= size:
            return f"{number / size:,.1f} {unit}"
    return f"{number:,.0f}"


def _bytes(count: float) -> str:
    for unit, size in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count / 1e3:,.0f} KB"


if __name__ == "__main__":
    print("\n\n".join((load_table(Care(), Bytes()), unit_table(Care()), record_line(Care(), Bytes()))))
