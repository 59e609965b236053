"""A view built anew from its first event, with and without writers, while a reader looks at it all the time."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import grpc
import grpc.aio

from benchmarks.command.sides import RPC
from benchmarks.growth.filled import Filled
from benchmarks.load.bodies import entries, write_bodies
from benchmarks.load.program import LoadProgram, Run
from benchmarks.pairs import Measured
from ledger.api.v1.boards_pb2 import GetDepartmentBoardRequest
from ledger.api.v1.boards_pb2_grpc import BoardServiceStub

VIEW = "department_board"
RATE = int(os.environ.get("LEDGER_TEST_RATE", "100"))
"""Commands a second of the writers."""
_WRITE_SECONDS = 10
_REBUILD_SECONDS_MAX = 4 * 3600
_LOOK_SECONDS = 0.02
_REBUILT_FROM = re.compile(r"rebuilt from (\d+) events")
_PROJECT = Path(__file__).parents[2]


class RebuildFailed(Exception):
    """`ledger project rebuild` ended with an error."""


@dataclass(frozen=True)
class Rebuilding:
    """One hospital's board, and who writes to and reads from it."""

    on: Filled
    program: LoadProgram
    hospital: str
    department: str
    rows: int
    """Of that department's board before and after: the writers open and close no record."""

    async def alone(self) -> Measured:
        """Events a second while nobody writes."""
        return await self._rebuilt()

    async def with_writers(self) -> Measured:
        """Events a second while commands come at the rate; what a reader saw meanwhile beside it."""
        rebuilding = asyncio.create_task(self._rebuilt())
        looking = asyncio.create_task(self._looked(rebuilding))
        written = 0
        while not rebuilding.done():
            written += await self._written()
        beside, measured = await looking, await rebuilding
        return Measured(measured.value, measured.cpu_us, {**beside, "commands written": float(written)})

    async def _rebuilt(self) -> Measured:
        command = [sys.executable, "-m", "ledger.cli.main", "project", "rebuild", VIEW, "--hospital", self.hospital]
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("LEDGER_")}
        began = time.perf_counter()
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=_PROJECT, env={**inherited, **self.on.settings}, capture_output=True,
            text=True, check=False, timeout=_REBUILD_SECONDS_MAX,
        )  # fmt: skip
        elapsed = time.perf_counter() - began
        told = _REBUILT_FROM.search(done.stdout)
        if done.returncode or told is None:
            raise RebuildFailed(done.stderr.strip()[-500:])
        return Measured(int(told[1]) / elapsed)

    async def _written(self) -> int:
        bodies = self.on.folder / "writers"
        records = [str(each) for each in self.on.records[self.hospital][:256]]
        write_bodies(bodies, entries(self.hospital, records, RATE * _WRITE_SECONDS))
        run = Run("grpc", self.on.service.grpc, RPC, bodies, 16, rate=RATE)
        return (await asyncio.to_thread(self.program.run_well, run)).ok

    async def _looked(self, rebuilding: asyncio.Task[Measured]) -> dict[str, float]:
        """How often a reader looked, and how often it got an error or not every row."""
        looks, wrong = 0, 0
        request = GetDepartmentBoardRequest(hospital=self.hospital, department=self.department, page_size=100)
        async with grpc.aio.insecure_channel(self.on.service.grpc) as channel:
            board = BoardServiceStub(channel)
            while not rebuilding.done():
                looks += 1
                try:
                    wrong += len((await board.GetDepartmentBoard(request, timeout=10)).rows) != self.rows
                except grpc.aio.AioRpcError:
                    wrong += 1
                await asyncio.sleep(_LOOK_SECONDS)
        return {"looks": float(looks), "wrong looks": float(wrong)}
