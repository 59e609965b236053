"""Whether a series is flat."""

import random

import pytest

from benchmarks.soak.trend import growth_in, trend


def test_a_line_has_its_slope() -> None:
    """Two MiB a minute are 120 an hour."""
    found = trend([(60.0 * minute, 100 + 2.0 * minute) for minute in range(20)])
    assert found.slope_per_hour == pytest.approx(120)


def test_a_peak_bends_nothing() -> None:
    """One collection of garbage, or one batch that was large, is no leak."""
    samples = [(float(at), 100.0) for at in range(60)]
    samples[30] = (30.0, 500.0)
    assert growth_in(samples, 1) == 0


def test_noise_around_a_level_is_flat_and_a_leak_under_noise_is_seen() -> None:
    """A leak of a tenth in the time measured must not hide in noise of a twentieth."""
    noise = random.Random(5)  # noqa: S311  # noise, nothing secret
    level = [(5.0 * at, 200 + noise.uniform(-10, 10)) for at in range(160)]
    leak = [(at, value + 20 * at / 800) for at, value in level]
    assert abs(growth_in(level, 800 / 3600)) < 0.02
    assert growth_in(leak, 800 / 3600) > 0.05


def test_what_shrinks_grows_by_less_than_nothing() -> None:
    """So that it is never called a leak."""
    assert growth_in([(0.0, 10.0), (3600.0, 5.0)], 1) < 0
