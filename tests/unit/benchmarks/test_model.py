"""What must hold of the queueing model whatever the service times are."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.model.service_times import Observed, costs_of
from benchmarks.model.simulation import Costs, WritePath

COSTS = Costs(caller=60.0, command=300.0, flush=80.0, stored=30.0, commit=100.0, durable=120.0)
times = st.floats(5.0, 2_000.0)


def test_one_caller_waits_for_every_step_and_for_nothing_else() -> None:
    """Nobody is in the way: the wait is the sum of the service times."""
    whole = sum((COSTS.caller, COSTS.command, COSTS.flush, COSTS.stored, COSTS.commit, COSTS.durable))
    predicted = WritePath(COSTS, 1).run(4_000)
    assert 1e6 / predicted.per_second == pytest.approx(whole, rel=0.03)
    assert predicted.group_size == 1.0


@settings(max_examples=25, deadline=None)
@given(st.builds(Costs, times, times, times, times, times, times), st.integers(1, 80), st.integers(1, 8))
def test_rate_is_within_what_loop_and_cores_can_do(costs: Costs, in_flight: int, cores: int) -> None:
    """The event loop runs one command at a time, and all CPU together has the cores."""
    predicted = WritePath(costs, in_flight, cores).run(1_500)
    computed = costs.caller + costs.command + costs.stored
    most = min(1e6 / costs.command, cores * 1e6 / computed, in_flight * 1e6 / computed)
    assert predicted.per_second <= most * 1.1
    assert 1.0 <= predicted.group_size <= in_flight


def test_slower_disk_makes_larger_groups() -> None:
    """Group commit: who arrives during a flush shares the next one."""
    sizes = [WritePath(replace(COSTS, durable=each), 32).run(5_000).group_size for each in (50.0, 2_000.0, 20_000.0)]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 1.5 * sizes[0]


def test_service_times_are_found_again() -> None:
    """Two loads that cost exactly what these times make them cost give the times back."""
    alone = Observed(1, 0.0, 690.0, 380.0, 130.0, 90.0, 1.0)
    few = Observed(16, 0.0, 0.0, 300.0 + 80.0 / 8, 30.0 + 100.0 / 8, 60.0, 8.0)
    found = costs_of([alone, few])
    for name in ("caller", "command", "flush", "stored", "commit", "durable"):
        assert getattr(found, name) == pytest.approx(getattr(COSTS, name))
