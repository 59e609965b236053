"""What a benchmark's exit status says."""

import pytest

from benchmarks.verdict import Target, Verdict, exit_status, exit_status_of_all

AT_LEAST, AT_MOST = Target(0.6), Target(1.3, at_most=True)


@pytest.mark.parametrize(
    ("target", "figures", "verdict"),
    [
        (AT_LEAST, [0.6, 0.7], Verdict.REACHED),
        (AT_LEAST, [0.5, 0.599], Verdict.MISSED),
        (AT_LEAST, [0.9, 0.9, 0.9, 0.9, 0.59], Verdict.NOISY),
        (AT_MOST, [1.3, 1.0], Verdict.REACHED),
        (AT_MOST, [1.31, 2.0], Verdict.MISSED),
        (AT_MOST, [1.0, 1.31], Verdict.NOISY),
        (AT_LEAST, [], Verdict.NOT_MEASURED),
    ],
)
def test_a_target_is_reached_by_every_pair_or_not_decided(
    target: Target, figures: list[float], verdict: Verdict
) -> None:
    """A median above the target is not enough: where pairs lie on both sides, the next run may say otherwise."""
    assert target.verdict(figures) == verdict


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        ([Verdict.REACHED, Verdict.NO_TARGET], 0),
        ([Verdict.REACHED, Verdict.MISSED, Verdict.NOISY], 1),
        ([Verdict.REACHED, Verdict.NOISY], 2),
        ([Verdict.REACHED, Verdict.NOT_MEASURED], 2),
        ([], 2),
    ],
)
def test_a_miss_is_told_before_noise_and_nothing_undecided_passes(verdicts: list[Verdict], status: int) -> None:
    """Whoever looks at the exit status alone is not told that a target is reached which is not."""
    assert exit_status(verdicts) == status


@pytest.mark.parametrize(("statuses", "status"), [([0, 0], 0), ([0, 2], 2), ([2, 1, 0], 1), ([0, -9], 1), ([], 2)])
def test_of_several_benchmarks_the_worst_counts(statuses: list[int], status: int) -> None:
    """A benchmark that was killed or broke is a miss, not a gap that nobody sees."""
    assert exit_status_of_all(statuses) == status
