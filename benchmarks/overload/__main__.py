"""`python -m benchmarks.overload`: 640 callers who obey RetryInfo beside the best rate of 64; table and JSON.

Every command that was sent must be there afterwards, or the benchmark fails: a rate with losses is no rate. Exit status
0 where every target is reached, 1 where one is missed, else 2.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

from benchmarks.command.sides import RPC
from benchmarks.ground import HOSPITAL, Ground, ground
from benchmarks.load.bodies import entries, write_bodies
from benchmarks.load.program import GoMissing, LoadProgram, Run, Told
from benchmarks.pairs import Measured, Row, in_pairs, not_measured
from benchmarks.report import report
from benchmarks.verdict import Target
from ledger.store.connections import reader_pool
from ledger.store.reading import EventReader

SECONDS = float(os.environ.get("LEDGER_TEST_SECONDS", "3"))
BEST_IN_FLIGHT, CALLERS = 64, 640
RECORDS = 1024
PER_SECOND = 2000
"""Bodies for each second: each run sends all of them, so that nothing is left under way when it ends."""
MEMORY_MIB_MAX = 64.0
_BEST = f"{BEST_IN_FLIGHT} callers"
_RATE = (f"{CALLERS} callers who obey RetryInfo", _BEST, "commands/s", Target(0.9))
_MEMORY = (
    f"what {CALLERS} callers add to the most memory that {_BEST} took",
    "",
    "MiB",
    Target(MEMORY_MIB_MAX, at_most=True),
)


class Lost(Exception):
    """A command was answered OK and is not in the ledger, or the other way round."""


class _Sides:
    def __init__(self, program: LoadProgram, stood_on: Ground) -> None:
        self._program = program
        self._on = stood_on
        self._peak_before = 0.0

    async def best(self) -> Measured:
        measured = await self._measured(BEST_IN_FLIGHT)
        self._peak_before = max(self._peak_before, _peak_mib(self._on.service.pid))
        return measured

    async def many(self) -> Measured:
        return await self._measured(CALLERS)

    async def grown(self) -> Measured:
        await self._measured(CALLERS)
        return Measured(max(0.0, _peak_mib(self._on.service.pid) - self._peak_before))

    async def _measured(self, callers: int) -> Measured:
        before = await self._head()
        told = await asyncio.to_thread(self._sent, callers)
        written = await self._head() - before
        if set(told.statuses) != {"OK"} or written != told.ok:
            raise Lost(told.statuses, written)
        refused = {"refused": float(told.refused), "refused p50 µs": told.refused_us["p50"]}
        return Measured(
            told.per_second, 0.0, refused | {"refused p99 µs": told.refused_us["p99"], "p99 µs": told.ok_us["p99"]}
        )

    def _sent(self, callers: int) -> Told:
        bodies = self._on.folder / "bodies"
        write_bodies(bodies, entries(HOSPITAL, self._on.records, int(PER_SECOND * SECONDS)))
        return self._program.run(Run("grpc", self._on.service.grpc, RPC, bodies, callers, obey=True))

    async def _head(self) -> int:
        pool = reader_pool(self._on.postgres.superuser_url)
        try:
            return await EventReader(pool).head(HOSPITAL)
        finally:
            await pool.close()


def _peak_mib(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


async def _rows(sides: _Sides) -> list[Row]:
    await sides.best()  # warm
    # The memory first: a peak is never lower again.
    grown = await in_pairs(None, sides.grown, turns=1)
    return [Row(*_RATE, await in_pairs(sides.best, sides.many)), Row(*_MEMORY, grown)]


def main() -> int:
    """Runs the benchmark."""
    try:
        program = LoadProgram()
    except GoMissing as missing:
        return report("overload", [not_measured(*row, str(missing)) for row in (_RATE, _MEMORY)], {})
    with ground(RECORDS) as stood_on:
        rows, version = asyncio.run(_rows(_Sides(program, stood_on))), stood_on.postgres.major
    return report("overload", rows, {"postgresql": version, "commands": int(PER_SECOND * SECONDS), "records": RECORDS})


if __name__ == "__main__":
    sys.exit(main())
