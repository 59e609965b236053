"""The write path as a queueing model: callers in a closed loop, one event loop, group commit, two groups at most.

What it leaves out: the network, the garbage collector, vacuum and checkpoints, and other hospitals.
"""

from __future__ import annotations

import random
import statistics
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import simpy

from ledger.store.committer import FLUSHES_MAX, SPLIT_MIN

_SETTLED = 0.2
"""Share of the commands at the start that count for nothing: the queue fills up meanwhile."""
_BEFORE_APPEND = 0.8
"""Share of a command's own CPU that is spent before it is queued for the append (decode, load, decide, seal)."""

Step = Generator[Any, Any, None]


@dataclass(frozen=True)
class Costs:
    """Service times, microseconds."""

    caller: float
    """CPU of whoever sends, for one command."""
    command: float
    """CPU of the server process for one command, whatever the group."""
    flush: float
    """CPU of the server process for one group."""
    stored: float
    """CPU of PostgreSQL for one command."""
    commit: float
    """CPU of PostgreSQL for one group."""
    durable: float
    """What a commit waits for the disk, and one process for the other; nobody computes meanwhile."""


@dataclass(frozen=True)
class Predicted:
    """What the model says of one load."""

    per_second: float
    p50_us: float
    p99_us: float
    group_size: float


class WritePath:
    """One hospital's writer on a machine of `cores`, met by `in_flight` callers who never rest."""

    def __init__(self, costs: Costs, in_flight: int, cores: int = 2) -> None:
        self._costs = costs
        self._in_flight = in_flight
        self._time = simpy.Environment()
        self._dice = random.Random(in_flight)  # noqa: S311 - service times, no secrets
        self._cores = simpy.Resource(self._time, cores)
        self._loop = simpy.Resource(self._time, 1)
        self._head = simpy.Resource(self._time, 1)
        self._queue: deque[simpy.Event] = deque()
        self._writing = False
        self._groups: list[int] = []
        self._answered: list[tuple[float, float]] = []
        """When a command was answered, and after how long."""

    def run(self, commands: int) -> Predicted:
        """So many commands; the first of them, while the queue fills, are not counted."""
        done = self._time.event()
        for _ in range(self._in_flight):
            self._time.process(self._caller(commands, done))
        self._time.run(until=done)
        counted = self._answered[int(commands * _SETTLED) :]
        waits = statistics.quantiles((wait for _, wait in counted), n=100)
        seconds = (counted[-1][0] - counted[0][0]) / 1e6
        return Predicted(len(counted) / seconds, waits[49], waits[98], statistics.mean(self._groups))

    def _caller(self, commands: int, done: simpy.Event) -> Step:
        costs = self._costs
        while len(self._answered) < commands:
            began = self._time.now
            yield from self._computing(costs.caller / 2)
            yield from self._in_server(costs.command * _BEFORE_APPEND)
            verdict = self._time.event()
            self._queue.append(verdict)
            if not self._writing:
                self._writing = True
                self._time.process(self._write())
            yield verdict
            yield from self._in_server(costs.command * (1 - _BEFORE_APPEND))
            yield from self._computing(costs.caller / 2)
            self._answered.append((self._time.now, self._time.now - began))
        if not done.triggered:
            done.succeed()

    def _write(self) -> Step:
        """As GroupCommitter does: what waits is one group, or two on their way where there is enough for both."""
        while self._queue:
            if len(self._queue) < SPLIT_MIN:
                yield from self._flush(self._taken(len(self._queue)))
            else:
                yield from self._write_overlapping()
        self._writing = False

    def _write_overlapping(self) -> Step:
        flushing: set[simpy.Process] = set()
        while self._queue:
            limit = len(self._queue) // 2 if not flushing and len(self._queue) >= SPLIT_MIN else len(self._queue)
            while self._queue and len(flushing) < FLUSHES_MAX:
                flushing.add(self._time.process(self._flush(self._taken(limit))))
                limit = len(self._queue)
            yield self._time.any_of(flushing)
            flushing = {each for each in flushing if each.is_alive}
        yield self._time.all_of(flushing)

    def _taken(self, count: int) -> list[simpy.Event]:
        return [self._queue.popleft() for _ in range(count)]

    def _flush(self, group: list[simpy.Event]) -> Step:
        costs = self._costs
        self._groups.append(len(group))
        yield from self._in_server(costs.flush)
        yield from _holding(self._head, self._committing(len(group)))
        for verdict in group:
            verdict.succeed()

    def _committing(self, commands: int) -> Step:
        costs = self._costs
        yield from self._computing(costs.commit + costs.stored * commands)
        yield from self._passing(costs.durable)

    def _in_server(self, microseconds: float) -> Step:
        """The event loop runs one thing at a time, and needs a core for it."""
        yield from _holding(self._loop, self._computing(microseconds))

    def _computing(self, microseconds: float) -> Step:
        yield from _holding(self._cores, self._passing(microseconds))

    def _passing(self, microseconds: float) -> Step:
        yield self._time.timeout(self._about(microseconds))

    def _about(self, microseconds: float) -> float:
        """A service time around its mean: gamma, so that half of the mean is one standard deviation."""
        return self._dice.gammavariate(4.0, microseconds / 4.0) if microseconds > 0 else 0.0


def _holding(resource: simpy.Resource, work: Step) -> Step:
    turn = resource.request()
    yield turn
    yield from work
    resource.release(turn)
