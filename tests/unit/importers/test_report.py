"""Counts that add up, and what counts as unexpected."""

from __future__ import annotations

from collections import Counter

from importers.fhir.report import IN_FUTURE, Outcome, Report


def _report() -> Report:
    return Report(Counter({"Observation": 2, "Patient": 1}))


def test_it_adds_up_when_every_line_has_one_outcome() -> None:
    """One line too few or too many of any type is found."""
    report = _report()
    report.settle(["Observation", "Observation"], Outcome.RECORDED)
    assert not report.adds_up()
    report.settle(["Patient"], Outcome.SAME)
    assert report.adds_up()
    report.settle(["Patient"], Outcome.SAME)
    assert not report.adds_up()


def test_a_time_in_the_future_is_foreseen_every_other_refusal_is_not() -> None:
    """Only the second makes an import fail."""
    report = _report()
    report.settle(["Observation", "Patient"], Outcome.REFUSED, IN_FUTURE)
    assert report.unexpected() == 0
    report.settle(["Observation"], Outcome.REFUSED, "VALIDATION_FAILED")
    assert (report.unexpected(), report.good()) == (1, False)
