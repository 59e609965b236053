"""Baseline and product in turns: one run, so that what the machine does meanwhile happens to both.

A ratio carries over from one machine to another; a rate does not.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.foreign_cpu import ForeignCpu
from benchmarks.verdict import Target, Verdict

TURNS = int(os.environ.get("LEDGER_TEST_TURNS", "5"))
FOREIGN_CORES_MAX = 0.2
REPEATS_MAX = 5


@dataclass(frozen=True)
class Measured:
    """What one turn of one side came to."""

    value: float
    """In the row's unit."""
    cpu_us: float = 0.0
    """CPU of the measured process for one command, event or row, microseconds; 0 = not taken."""
    beside: dict[str, float] = field(default_factory=dict[str, float])
    """What else the turn showed, by name and unit."""


Measure = Callable[[], Awaitable[Measured]]


class Foreign(Protocol):
    """A meter of what others use."""

    def cores(self) -> float:
        """Mean cores since it was made."""
        ...


@dataclass(frozen=True)
class Pair:
    """Both sides, one right after the other. Without a baseline the figure is the product's value itself."""

    baseline: Measured | None
    product: Measured
    foreign_cores: float

    @property
    def figure(self) -> float:
        """Product over baseline."""
        return self.product.value if self.baseline is None else self.product.value / self.baseline.value


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    baseline: str
    """What the baseline is; empty where the target is no ratio."""
    unit: str
    target: Target | None
    pairs: tuple[Pair, ...]
    why_not: str = ""
    """Why it was not measured."""

    @property
    def figures(self) -> list[float]:
        """One for each pair."""
        return [each.figure for each in self.pairs]

    @property
    def median(self) -> float:
        """Of the figures."""
        return statistics.median(self.figures)

    @property
    def verdict(self) -> Verdict:
        """Against the target."""
        if not self.pairs:
            return Verdict.NOT_MEASURED
        return self.target.verdict(self.figures) if self.target else Verdict.NO_TARGET

    @property
    def disturbed(self) -> int:
        """Pairs during which others used more than they may, however often they were repeated."""
        return sum(each.foreign_cores > FOREIGN_CORES_MAX for each in self.pairs)


def not_measured(name: str, baseline: str, unit: str, target: Target | None, why: str) -> Row:
    """A row that this machine cannot measure. It is shown all the same: a figure that is missing is not reached."""
    return Row(name, baseline, unit, target, (), why)


async def in_pairs(
    baseline: Measure | None,
    product: Measure,
    turns: int = TURNS,
    foreign: Callable[[], Foreign] = ForeignCpu,
    *,
    slices: int = 1,
) -> tuple[Pair, ...]:
    """So many pairs. Each side goes first in turn: what grows or warms up in the course of a run favours neither.

    Where both measure rates over equal times, a pair may be so many short turns of each, one beside the other, whose
    mean counts: a flush of the server's that lasts a second then falls upon both sides.
    """
    return tuple([await _undisturbed(baseline, product, foreign, turn, slices) for turn in range(turns)])


async def _undisturbed(
    baseline: Measure | None, product: Measure, foreign: Callable[[], Foreign], turn: int, slices: int
) -> Pair:
    """One pair. While others use the machine it is measured again, a few times; the least disturbed one counts."""
    pairs: list[Pair] = []
    while len(pairs) <= REPEATS_MAX:
        meter = foreign()
        sliced = [await _slice(baseline, product, product_first=bool((turn + each) % 2)) for each in range(slices)]
        before = [each for each, _ in sliced if each is not None]
        pairs.append(Pair(_mean(before) if before else None, _mean([each for _, each in sliced]), meter.cores()))
        if pairs[-1].foreign_cores <= FOREIGN_CORES_MAX:
            return pairs[-1]
    return min(pairs, key=lambda each: each.foreign_cores)


async def _slice(
    baseline: Measure | None, product: Measure, *, product_first: bool
) -> tuple[Measured | None, Measured]:
    if baseline is None:
        return None, await product()
    if product_first:
        measured = await product()
        return await baseline(), measured
    before = await baseline()
    return before, await product()


def _mean(slices: Sequence[Measured]) -> Measured:
    """Of rates over equal times; the CPU of one counts by how many were done in its slice."""
    if len(slices) == 1:
        return slices[0]
    done = sum(each.value for each in slices)
    cpu_us = sum(each.value * each.cpu_us for each in slices) / done
    return Measured(done / len(slices), cpu_us)
