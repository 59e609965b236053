"""How baseline and product are measured in turns."""

import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.pairs import REPEATS_MAX, Foreign, Measured, Row, in_pairs, not_measured
from benchmarks.report import report
from benchmarks.verdict import Target, Verdict


class Others:
    """What others use during each pair, in order."""

    def __init__(self, *cores: float) -> None:
        self._cores: Iterator[float] = iter(cores)
        self.looks = 0

    def __call__(self) -> Foreign:
        self.looks += 1
        return _Cores(next(self._cores))


class _Cores:
    def __init__(self, cores: float) -> None:
        self._cores = cores

    def cores(self) -> float:
        return self._cores


def side(value: float, order: list[str], name: str) -> Callable[[], Awaitable[Measured]]:
    """A side that says when it was measured."""

    async def measure() -> Measured:
        order.append(name)
        return Measured(value)

    return measure


async def test_each_side_goes_first_in_turn() -> None:
    """What grows in the course of a run must not always meet the same side."""
    order: list[str] = []
    pairs = await in_pairs(side(4, order, "b"), side(2, order, "p"), turns=3, foreign=Others(0, 0, 0))
    assert order == ["b", "p", "p", "b", "b", "p"]
    assert [each.figure for each in pairs] == [0.5, 0.5, 0.5]


async def test_a_pair_of_slices_is_their_mean() -> None:
    """The sides take turns inside it, too; CPU counts by how many were done, not by slice."""
    order: list[str] = []
    rates = iter([Measured(30, 10), Measured(10, 50)])

    async def product() -> Measured:
        order.append("p")
        return next(rates)

    (pair,) = await in_pairs(side(40, order, "b"), product, turns=1, foreign=Others(0), slices=2)
    assert order == ["b", "p", "p", "b"]
    assert (pair.product.value, pair.product.cpu_us, pair.figure) == (20, 20, 0.5)


async def test_a_disturbed_pair_is_measured_again() -> None:
    """A figure taken while others used the machine does not count where a better one can be had."""
    others = Others(0.9, 0.3, 0.2, 0.0)
    pairs = await in_pairs(side(1, [], "b"), side(1, [], "p"), turns=2, foreign=others)
    assert [each.foreign_cores for each in pairs] == [0.2, 0.0]
    assert others.looks == 4


async def test_a_machine_that_is_never_quiet_ends_the_repeats_and_is_told() -> None:
    """No endless wait for silence; the least disturbed pair stands, and the row says that it is one."""
    others = Others(0.9, 0.8, 0.3, 0.7, 0.9, 0.9)
    pairs = await in_pairs(side(1, [], "b"), side(1, [], "p"), turns=1, foreign=others)
    assert others.looks == 1 + REPEATS_MAX
    assert Row("row", "other", "x/s", Target(1), pairs).disturbed == 1
    assert pairs[0].foreign_cores == 0.3


async def test_without_a_baseline_the_value_itself_is_judged() -> None:
    """Some targets are times, not ratios."""
    pairs = await in_pairs(None, side(0.25, [], "p"), turns=2, foreign=Others(0, 0))
    assert Row("warm", "", "ms", Target(0.3, at_most=True), pairs).verdict is Verdict.REACHED


@pytest.mark.parametrize(("product", "status"), [(0.7, 0), (0.5, 1)])
async def test_a_report_keeps_every_pair_and_gives_the_status(tmp_path: Path, product: float, status: int) -> None:
    """The JSON is enough to compute the table again, and says on what it was measured but not where."""
    pairs = await in_pairs(side(1, [], "b"), side(product, [], "p"), turns=2, foreign=Others(0, 0))
    assert report("one", [Row("row", "other", "x/s", Target(0.6), pairs)], {"seconds": 1}, tmp_path) == status
    told = json.loads((tmp_path / "one.json").read_text())
    assert [each["figure"] for each in told["rows"][0]["pairs"]] == [product, product]
    assert told["versions"]["psycopg.pq.__impl__"] in ("binary", "c", "python")
    assert set(told["machine"]) == {"processor", "cores", "memory_gib", "fdatasync_us", "load_average", "system"}


def test_a_row_that_was_not_measured_is_shown_and_decides_nothing(tmp_path: Path) -> None:
    """No Go, no figure: never one from a client of another kind in its place."""
    row = not_measured("row", "other", "x/s", Target(0.6), "no Go")
    assert report("one", [row], {}, tmp_path) == 2
    told = json.loads((tmp_path / "one.json").read_text())
    assert (told["rows"][0]["verdict"], told["rows"][0]["why_not"]) == ("not measured", "no Go")
