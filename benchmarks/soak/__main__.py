"""`python -m benchmarks.soak` (`make soak-service`): the whole service at 60 % of its best rate; table and JSON.

`LEDGER_SOAK_SECONDS` (1,200) long. Flat is a role whose memory grows by fewer than 16 bytes a command, the least that
an object in Python takes, and whose open files grow by fewer than one: both by the slope of the samples after the first
third (`trend`). Exit status 0 where every role is flat and the rate was kept, 1 where not, 2 where it cannot be said.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.command.sides import PER_SECOND_MAX, RPC
from benchmarks.foreign_cpu import ForeignCpu
from benchmarks.ground import HOSPITAL
from benchmarks.hospital import open_records
from benchmarks.load.bodies import entries, write_bodies
from benchmarks.load.program import GoMissing, LoadProgram, Run
from benchmarks.pairs import Measured, Pair, Row, not_measured
from benchmarks.report import report
from benchmarks.served import Server, bench_folder, running
from benchmarks.soak.sampling import RoleRestarted, Samples, sampled
from benchmarks.soak.trend import Sample, trend
from benchmarks.verdict import Target
from ledger.embedded.kafka_jars import default_cache, provide_jars

SECONDS = int(os.environ.get("LEDGER_SOAK_SECONDS", "1200"))
SHARE = 0.6
STREAM = os.environ.get("LEDGER_STREAM", "kafka")
SAMPLE_SECONDS = min(5.0, SECONDS / 40)
BEST_SECONDS = min(10.0, SECONDS / 6)
CHUNK_SECONDS = min(30, SECONDS)
RECORDS = 64
"""Opened for each part of the load: a record that grew for twenty minutes would be none that there is. Few enough that
the service's cache of keys, which takes 20,000, does not fill all the time."""
IN_FLIGHT = 64
BYTES_MAX, FILES_MAX = 16.0, 1.0
_RATE = (f"rate over {SECONDS} s beside the {SHARE:.0%} asked for", "", "part", Target(0.95))
_MEMORY, _FILES = Target(BYTES_MAX, at_most=True), Target(FILES_MAX, at_most=True)


class _Load:
    def __init__(self, program: LoadProgram, server: Server, folder: Path) -> None:
        self._program = program
        self._server = server
        self._bodies = folder / "bodies"

    async def best(self) -> float:
        """Commands a second, as fast as 64 callers may."""
        told = await self._sent(int(PER_SECOND_MAX * BEST_SECONDS), 0.0, BEST_SECONDS)
        return told[0] / told[1]

    async def kept(self, rate: float) -> float:
        """The mean rate over the whole time, asked for this one."""
        ok, seconds = 0, 0.0
        while seconds < SECONDS:
            chunk = await self._sent(int(rate * CHUNK_SECONDS), rate, 0.0)
            ok, seconds = ok + chunk[0], seconds + chunk[1]
        return ok / seconds

    async def _sent(self, count: int, rate: float, seconds: float) -> tuple[int, float]:
        records = await open_records(self._server.grpc, HOSPITAL, RECORDS)
        await asyncio.to_thread(write_bodies, self._bodies, entries(HOSPITAL, records, count))
        run = Run("grpc", self._server.grpc, RPC, self._bodies, IN_FLIGHT, seconds, rate)
        told = await asyncio.to_thread(self._program.run_well, run)
        return told.ok, told.seconds


async def _soaked(load: _Load, ready: Path) -> tuple[float, float, Samples]:
    best = await load.best()
    done = asyncio.Event()
    sampling = asyncio.create_task(sampled(lambda: json.loads(ready.read_text())["pids"], SAMPLE_SECONDS, done))
    try:
        kept = await load.kept(best * SHARE)
    finally:
        done.set()
    return best, kept, await sampling


def _rows(best: float, kept: float, samples: Samples, foreign_cores: float) -> list[Row]:
    beside = {"best commands/s": best, "commands/s": kept}
    rows = [Row(*_RATE, (Pair(None, Measured(kept / (best * SHARE), 0.0, beside), foreign_cores),))]
    memory = {role: _late(taken) for role, taken in samples.memory_mib.items()}
    rows += [_memory_row(role, taken, kept, foreign_cores) for role, taken in memory.items()]
    return rows + [_files_row(role, _late(taken), foreign_cores) for role, taken in samples.files.items()]


def _late(taken: Sequence[Sample]) -> list[Sample]:
    """What has warmed up by a third of the time is no growth."""
    return [each for each in taken if each[0] >= taken[-1][0] / 3]


def _memory_row(role: str, late: Sequence[Sample], per_second: float, foreign_cores: float) -> Row:
    found = trend(late)
    grown = found.slope_per_second * 2**20 / per_second
    beside = {"median MiB": found.median, "MiB an hour": found.slope_per_second * 3600, "samples": float(len(late))}
    pair = Pair(None, Measured(grown, 0.0, beside), foreign_cores)
    return Row(f"memory of {role}, growth", "", "bytes a command", _MEMORY, (pair,))


def _files_row(role: str, late: Sequence[Sample], foreign_cores: float) -> Row:
    found = trend(late)
    grown = found.slope_per_second * (late[-1][0] - late[0][0])
    pair = Pair(None, Measured(grown, 0.0, {"median": found.median}), foreign_cores)
    return Row(f"open files of {role}, growth", "", "files", _FILES, (pair,))


def _series(samples: Samples) -> dict[str, Mapping[str, Sequence[Sample]]]:
    return {"memory_mib": samples.memory_mib, "files": samples.files}


def main() -> int:
    """Runs the soak."""
    try:
        program = LoadProgram()
    except GoMissing as missing:
        return report("soak", [not_measured(*_RATE, str(missing))], {})
    if STREAM == "kafka":
        provide_jars(default_cache())
    with bench_folder() as folder:
        command = ["ledger.cli.main", "up", "--dir", str(folder / "up"), "--stream", STREAM, "--hospital", HOSPITAL]
        with running(command, folder, name="up") as service:
            foreign = ForeignCpu()
            try:
                best, kept, samples = asyncio.run(_soaked(_Load(program, service, folder), folder / "up.ready.json"))
            except RoleRestarted as error:
                return report("soak", [not_measured(*_RATE, str(error))], {})
            cores = foreign.cores()
    facts = {"seconds": SECONDS, "share": SHARE, "stream": STREAM, "sample_seconds": SAMPLE_SECONDS}
    return report("soak", _rows(best, kept, samples, cores), {**facts, "samples": _series(samples)})


if __name__ == "__main__":
    sys.exit(main())
