"""What is said of the clock: the kernel's account in its own units, and never that it is right where nobody says so."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from ledger.telemetry.clock_source import ClockState, Timex, clock_state, log_clock


def kernel(answer: int, **fields: int) -> Callable[[Timex], int]:
    """A kernel that says this."""

    def read(into: Timex) -> int:
        for name, value in fields.items():
            setattr(into, name, value)
        return answer

    return read


@pytest.mark.parametrize(
    ("answer", "fields", "expected"),
    [
        (0, {"offset": -1500, "maxerror": 2500}, ClockState(True, -0.0015, 0.0025, "chrony, 10.0.0.1, stratum 2")),
        (0, {"offset": 1500, "status": 0x2000}, ClockState(True, 1.5e-6, 0.0, "chrony, 10.0.0.1, stratum 2")),
        (5, {"maxerror": 16_000_000}, ClockState(False, 0.0, 16.0, "chrony, 10.0.0.1, stratum 2")),
        (0, {"status": 0x40}, ClockState(False, 0.0, 0.0, "chrony, 10.0.0.1, stratum 2")),
        (-1, {}, ClockState(None, 0.0, 0.0, "chrony, 10.0.0.1, stratum 2")),
    ],
)
def test_the_kernel_is_read_in_its_own_units(answer: int, fields: dict[str, int], expected: ClockState) -> None:
    """Microseconds, or nanoseconds where it says so; not synchronized by the answer as well as by the flag."""
    found = clock_state(kernel(answer, **fields), lambda: "chrony, 10.0.0.1, stratum 2")
    assert found.offset_seconds == pytest.approx(expected.offset_seconds)
    assert (found.synchronized, found.error_seconds_max, found.source) == (
        expected.synchronized,
        expected.error_seconds_max,
        expected.source,
    )


def test_a_system_that_does_not_say_is_not_called_right() -> None:
    """No such call at all, and no chrony."""

    def none(_: Timex) -> int:
        raise AttributeError

    found = clock_state(none, lambda: "")
    assert (found.synchronized, found.source) == (None, "unknown")
    assert "does not say" in found.words()


def test_this_kernel_answers_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The call that the product makes, on this machine; what nothing keeps right is a warning."""
    state = clock_state()
    with caplog.at_level(logging.INFO, "ledger"):
        log_clock(state)
        log_clock(ClockState(False, 0.0, 16.0, "kernel"))
        log_clock(ClockState(True, 0.001, 0.002, "kernel"))
    assert [each.levelname for each in caplog.records][1:] == ["WARNING", "INFO"]
    assert vars(caplog.records[0])["source"] == state.source
    assert "off by +0.001000 s, at most 0.002000 s" in vars(caplog.records[2])["said"]
