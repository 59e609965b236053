"""Whether a series is flat."""

import random

import pytest

from benchmarks.soak.trend import trend


def test_a_line_has_its_slope_and_its_middle() -> None:
    """Two MiB a minute are a thirtieth of one a second."""
    found = trend([(60.0 * minute, 100 + 2.0 * minute) for minute in range(21)])
    assert found.slope_per_second == pytest.approx(2 / 60)
    assert found.median == 120


def test_a_peak_bends_nothing() -> None:
    """One collection of garbage, or one batch that was large, is no leak."""
    samples = [(float(at), 100.0) for at in range(60)]
    samples[30] = (30.0, 500.0)
    assert trend(samples).slope_per_second == 0


def test_a_leak_is_seen_under_noise_larger_than_itself() -> None:
    """Eight MiB in thirteen minutes, about 16 bytes a command here, must not hide in noise of five."""
    noise = random.Random(5)  # noqa: S311  # noise, nothing secret
    level = [(5.0 * at, 200 + noise.uniform(-5, 5)) for at in range(160)]
    leak = [(at, value + 8 * at / 800) for at, value in level]
    assert abs(trend(level).slope_per_second) < 2 / 800
    assert trend(leak).slope_per_second > 6 / 800


def test_what_shrinks_is_no_leak() -> None:
    """Its slope is below nothing."""
    assert trend([(0.0, 10.0), (3600.0, 5.0)]).slope_per_second < 0
