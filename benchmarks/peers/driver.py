"""A program that does the job on one system: one task as JSON on its input, one answer as JSON on its output.

Each system has its client in a process of its own, so that none is measured inside another's interpreter.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.pairs import Measured
from benchmarks.peers.job import EVENTS, READERS, SECONDS, Probe

_SECONDS_MAX = 900
_PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Task:
    """What a driver is told."""

    do: str
    """fill, append, few, replay or probe."""
    url: str
    clients: int
    seconds: float
    events: int


@dataclass(frozen=True)
class Counted:
    """What was done, and in what time once every connection stood."""

    count: int
    seconds: float
    cpu_seconds: float = 0.0
    """Of the client's process."""


class Driver(Protocol):
    """One system, connected."""

    def fill(self) -> None:
        """Makes the tables and the events."""
        ...

    def append(self, clients: int, seconds: float) -> Counted:
        """Conditional appends."""
        ...

    def few(self, clients: int, seconds: float) -> Counted:
        """Reads of one record."""
        ...

    def replay(self) -> Counted:
        """Everything once."""
        ...

    def probe(self) -> Probe:
        """A conflict."""
        ...


class DriverFailed(Exception):
    """A driver ended with an error; its last line says which."""


class DrivenSystem:
    """A system whose driver is a program."""

    def __init__(self, name: str, command: Sequence[str], url: str, environment: Mapping[str, str]) -> None:
        """The URL holds a password, so it goes over the input and never into the arguments."""
        self.name = name
        self._command = command
        self._url = url
        self._environment = environment

    async def fill(self) -> None:
        """See System."""
        await self._asked("fill")

    async def append(self, in_flight: int) -> Measured:
        """See System."""
        return _rate(await self._asked("append", in_flight))

    async def few(self) -> Measured:
        """See System."""
        return _rate(await self._asked("few", READERS))

    async def replay(self) -> Measured:
        """See System. Raises DriverFailed where the client did not get every event."""
        told = await self._asked("replay")
        if told["count"] < EVENTS:
            raise DriverFailed(f"{self.name}: a replay of {told['count']} of {EVENTS} events")
        return _rate(told)

    async def probe(self) -> Probe:
        """See System."""
        told = await self._asked("probe")
        return Probe(bool(told["conflict_refused"]), int(told["positions_skipped"]))

    async def _asked(self, do: str, clients: int = 1) -> dict[str, float]:
        return await asyncio.to_thread(self._run, Task(do, self._url, clients, SECONDS, EVENTS))

    def _run(self, task: Task) -> dict[str, float]:
        try:
            done = subprocess.run(
                self._command, input=json.dumps(asdict(task)), env=dict(self._environment), cwd=_PROJECT,
                capture_output=True, text=True, check=False, timeout=_SECONDS_MAX,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise DriverFailed(f"{self.name}: {task.do} did not end within {_SECONDS_MAX} s") from None
        if done.returncode:
            raise DriverFailed(f"{self.name}: {task.do}: {done.stderr.strip().splitlines()[-1:]}")
        return json.loads(done.stdout)


def _rate(told: Mapping[str, float]) -> Measured:
    return Measured(told["count"] / told["seconds"], told["cpu_seconds"] * 1e6 / told["count"])


def drive(make: Callable[[Task], Driver]) -> None:
    """The main program of a driver in Python."""
    task = Task(**json.loads(sys.stdin.read()))
    driver = make(task)
    match task.do:
        case "fill":
            driver.fill()
            told: object = {}
        case "append":
            told = asdict(driver.append(task.clients, task.seconds))
        case "few":
            told = asdict(driver.few(task.clients, task.seconds))
        case "replay":
            told = asdict(driver.replay())
        case "probe":
            told = asdict(driver.probe())
        case _:
            raise ValueError(task.do)
    print(json.dumps(told))


def in_threads(work: Callable[[int], object], clients: int, seconds: float) -> Counted:
    """So many threads that repeat a blocking call until the time is over. The first call of each is not counted."""
    counts = [0] * clients
    faults: list[BaseException] = []
    start = threading.Barrier(clients + 1)

    def client(number: int) -> None:
        try:
            work(number)
            start.wait(_SECONDS_MAX)
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                work(number)
                counts[number] += 1
        except BaseException as error:  # noqa: BLE001 - told by the main thread below
            faults.append(error)
            start.abort()

    threads = [threading.Thread(target=client, args=(number,), daemon=True) for number in range(clients)]
    for each in threads:
        each.start()
    try:
        start.wait(_SECONDS_MAX)
    except threading.BrokenBarrierError:
        raise faults[0] from None
    began, cpu = time.perf_counter(), time.process_time()
    for each in threads:
        each.join()
    if faults:
        raise faults[0]
    return Counted(sum(counts), time.perf_counter() - began, time.process_time() - cpu)
