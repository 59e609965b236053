"""FHIR's dates and times."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from importers.fhir.fhir_time import parse_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024", datetime(2024, 1, 1, tzinfo=UTC)),
        ("2024-06", datetime(2024, 6, 1, tzinfo=UTC)),
        ("2024-06-15", datetime(2024, 6, 15, tzinfo=UTC)),
        ("2024-06-15T01:30:00+02:00", datetime(2024, 6, 14, 23, 30, tzinfo=UTC)),
        ("2024-06-15T12:51:47.410014Z", datetime(2024, 6, 15, 12, 51, 47, 410014, tzinfo=UTC)),
        ("2024-06-15T12:51:47.4Z", datetime(2024, 6, 15, 12, 51, 47, 400000, tzinfo=UTC)),
        ("2024-06-15T23:59:60Z", datetime(2024, 6, 15, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_a_time_is_the_first_moment_that_it_may_mean(text: str, expected: datetime) -> None:
    """A part that is not said is its beginning; without a zone it is UTC."""
    assert parse_time(text) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "15.06.2024", "2024-13", "2024-02-30", "0000", "2024-06-15 10:00"])
def test_what_is_no_time_is_none(text: str) -> None:
    """Nothing is guessed."""
    assert parse_time(text) is None
