"""`python -m benchmarks.processes`: two `ledger serve` on one port beside one alone; table and JSON.

Commands of every record meet at both processes, so that each finds what it remembers overtaken by the other: the worst
that can happen to them. What more cores make of it cannot be seen on two. Exit
status 0 where every target is reached, 1 where one is missed, else 2.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.command.sides import RPC
from benchmarks.ground import HOSPITAL, Ground, ground
from benchmarks.load.bodies import entries, write_bodies
from benchmarks.load.program import GoMissing, LoadProgram, Run
from benchmarks.pairs import Measured, Row, in_pairs, not_measured
from benchmarks.process_ticks import cpu_seconds
from benchmarks.report import report
from benchmarks.served import Server, serving
from benchmarks.verdict import Target

SECONDS = float(os.environ.get("LEDGER_TEST_SECONDS", "3"))
PROCESSES, IN_FLIGHT, CONNECTIONS = 2, 64, 16
RECORDS = 1024
PER_SECOND_MAX = 9000
CORES_MIN = 8
_ALONE = "one process"
_CPU = (f"{PROCESSES} processes on one port, CPU of both", _ALONE, "CPU µs per command", Target(1.1, at_most=True))
_FACTOR = (f"{PROCESSES} processes on one port, rate", _ALONE, "commands/s", Target(1.6))


class _Sides:
    def __init__(self, program: LoadProgram, stood_on: Ground, shared: Sequence[Server]) -> None:
        self._program = program
        self._on = stood_on
        self._shared = shared

    async def cpu_alone(self) -> Measured:
        return _by_cpu(await self._sent([self._on.service]))

    async def cpu_shared(self) -> Measured:
        return _by_cpu(await self._sent(self._shared))

    async def rate_alone(self) -> Measured:
        return await self._sent([self._on.service])

    async def rate_shared(self) -> Measured:
        return await self._sent(self._shared)

    async def _sent(self, servers: Sequence[Server]) -> Measured:
        bodies = self._on.folder / "bodies"
        write_bodies(bodies, entries(HOSPITAL, self._on.records, int(PER_SECOND_MAX * SECONDS)))
        before = [cpu_seconds(each.pid) for each in servers]
        run = Run("grpc", servers[0].grpc, RPC, bodies, IN_FLIGHT, SECONDS, connections=CONNECTIONS)
        told = await asyncio.to_thread(self._program.run_well, run)
        spent = [cpu_seconds(each.pid) - was for each, was in zip(servers, before, strict=True)]
        # How unevenly the kernel shared the connections out: 0.5 is even.
        beside = {"share of the busiest": max(spent) / sum(spent)} if sum(spent) else {}
        return Measured(told.per_second, sum(spent) * 1e6 / told.ok, beside)


def _by_cpu(measured: Measured) -> Measured:
    return Measured(measured.cpu_us, measured.cpu_us, {"commands/s": measured.value, **measured.beside})


async def _rows(sides: _Sides) -> list[Row]:
    for each in (sides.rate_alone, sides.rate_shared):
        await each()  # warm
    cpu = Row(*_CPU, await in_pairs(sides.cpu_alone, sides.cpu_shared))
    if (os.cpu_count() or 1) < CORES_MIN:
        why = f"needs {CORES_MIN} cores or more: here the processes share them with PostgreSQL and the load itself"
        return [cpu, not_measured(*_FACTOR[:3], None, why)]
    return [cpu, Row(*_FACTOR, await in_pairs(sides.rate_alone, sides.rate_shared))]


def main() -> int:
    """Runs the benchmark."""
    try:
        program = LoadProgram()
    except GoMissing as missing:
        return report("processes", [not_measured(*row, str(missing)) for row in (_CPU, _FACTOR)], {})
    with ground(RECORDS) as stood_on, ExitStack() as stack:
        settings = {**stood_on.settings, "LEDGER_SHARE_PORTS": "yes"}
        shared: list[Server] = []
        for number in range(PROCESSES):
            shared.append(stack.enter_context(serving(settings, stood_on.folder, f"shared-{number}")))
            settings |= {"LEDGER_GRPC_LISTEN": shared[0].grpc, "LEDGER_HTTP_LISTEN": shared[0].http}
        rows, version = asyncio.run(_rows(_Sides(program, stood_on, shared))), stood_on.postgres.major
    return report("processes", rows, {"postgresql": version, "seconds": SECONDS, "records": RECORDS})


if __name__ == "__main__":
    sys.exit(main())
