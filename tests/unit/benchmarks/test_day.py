"""The tables of docs/scale.md are what the code says, and the code counts right."""

import re
from pathlib import Path

import pytest

from benchmarks.model.day import DAYS, PEAK_HOUR, Bytes, Care, load_table, record_line, unit_table

SCALE = Path(__file__).parents[3] / "docs" / "scale.md"


@pytest.mark.parametrize(
    ("name", "table"),
    [("load", load_table(Care(), Bytes())), ("units", unit_table(Care())), ("record", record_line(Care(), Bytes()))],
)
def test_document_says_what_the_code_says(name: str, table: str) -> None:
    """Who changes an assumption changes the document."""
    found = re.search(rf"<!-- {name}: begin -->\n(.*?)\n<!-- {name}: end -->", SCALE.read_text(), re.DOTALL)
    assert found is not None
    assert found[1] == table


def test_events_of_a_day_are_the_sum_of_care_stays_and_visits() -> None:
    """By hand, for a hospital of 365 beds, all in use."""
    care = Care(
        admissions_per_bed=20, visits_per_bed=500, occupancy=1.0, events_per_day_of_care=10, events_per_stay=15,
        events_per_visit=6,
    )  # fmt: skip
    assert care.events_per_day(DAYS) == pytest.approx(3_650 + 20 * 15 + 500 * 6)
    assert care.records_per_day(DAYS) == pytest.approx(520)
    assert 1 / 24 < PEAK_HOUR < 1
