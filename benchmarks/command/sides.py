"""What the rows of this benchmark measure, each as one turn of one side."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from benchmarks.append import pgbench
from benchmarks.command.echo_server import METHOD, SERVICE
from benchmarks.ground import HOSPITAL, Ground
from benchmarks.load.bodies import entries, write_bodies
from benchmarks.load.program import LoadProgram, Run, Told
from benchmarks.pairs import Measured
from benchmarks.process_ticks import cpu_seconds
from benchmarks.served import Server

RPC = "ledger.api.v1.RecordService/RecordEntry"
ECHO_RPC = f"{SERVICE}/{METHOD}"
PER_SECOND_MAX = 9000
"""Bodies made for each second: more than anything here answers."""
PGBENCH_SHARE = 0.4
"""What one append alone at the store may cost beside pgbench, by the row `append, 1 in flight`."""


@dataclass(frozen=True)
class Sides:
    """Everything that is there during the run."""

    program: LoadProgram
    ground: Ground
    echo: Server
    seconds: float

    async def echoed(self, in_flight: int) -> Measured:
        """Calls a second of the bare echo."""
        run = Run("grpc", self.echo.grpc, ECHO_RPC, self._bodies(), in_flight, self.seconds)
        return await self._rate(run, self.echo)

    async def grpc(self, in_flight: int) -> Measured:
        """Commands a second over gRPC."""
        run = Run("grpc", self.ground.service.grpc, RPC, self._bodies(), in_flight, self.seconds)
        return await self._rate(run, self.ground.service)

    async def connect(self, in_flight: int) -> Measured:
        """Commands a second over Connect."""
        run = Run("connect", self.ground.service.http, RPC, self._bodies(), in_flight, self.seconds)
        return await self._rate(run, self.ground.service)

    async def one_by_one(self) -> Measured:
        """Microseconds that half of all commands take less than, one after the other."""
        told = await self._sent(Run("grpc", self.ground.service.grpc, RPC, self._bodies(), 1, self.seconds))
        return Measured(told.ok_us["p50"], 0.0, {"p99 µs": told.ok_us["p99"]})

    async def parts_one_by_one(self, script: Path) -> Measured:
        """What that may be made of: the echo's median, and pgbench's over what the store may cost beside it."""
        echoed = await self._sent(Run("grpc", self.echo.grpc, ECHO_RPC, self._bodies(), 1, self.seconds))
        arguments = (self.ground.postgres, self.ground.postgres.superuser_url, script, 1, max(1, round(self.seconds)))
        inserted = await asyncio.to_thread(pgbench.rate, *arguments)
        parts = {"echo µs": echoed.ok_us["p50"], "pgbench µs": inserted.mean_us}
        return Measured(echoed.ok_us["p50"] + inserted.mean_us / PGBENCH_SHARE, 0.0, parts)

    async def _rate(self, run: Run, server: Server) -> Measured:
        before, stored_before = cpu_seconds(server.pid), cpu_seconds(self.ground.postgres.pid)
        told = await self._sent(run)
        cpu_us = (cpu_seconds(server.pid) - before) * 1e6 / told.ok
        stored_us = (cpu_seconds(self.ground.postgres.pid) - stored_before) * 1e6 / told.ok
        beside = {"PostgreSQL CPU µs": stored_us, "p50 µs": told.ok_us["p50"], "p99 µs": told.ok_us["p99"]}
        return Measured(told.per_second, cpu_us, beside)

    async def _sent(self, run: Run) -> Told:
        return await asyncio.to_thread(self.program.run_well, run)

    def _bodies(self) -> Path:
        file = self.ground.folder / "bodies"
        write_bodies(file, entries(HOSPITAL, self.ground.records, int(PER_SECOND_MAX * self.seconds)))
        return file
