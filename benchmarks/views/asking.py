"""Boards that are asked at a steady rate, and callers who wait for a position that no view has handled yet."""

from __future__ import annotations

import asyncio
import itertools
import time

import grpc
import grpc.aio
import psycopg

from benchmarks import requests
from benchmarks.growth.filled import Filled
from benchmarks.load.bodies import write_bodies
from benchmarks.load.program import LoadProgram, Run
from benchmarks.pairs import Measured
from ledger.api.v1.boards_pb2 import GetDepartmentBoardRequest
from ledger.api.v1.boards_pb2_grpc import BoardServiceStub
from ledger.api.v1.records_pb2_grpc import RecordServiceStub

QUERIES_PER_SECOND = 200
QUERY_SECONDS = 10
WAITERS = 100
WAIT_SECONDS = 15
_IN_FLIGHT = 64
_RPC = "ledger.api.v1.BoardService/GetDepartmentBoard"
_TRANSACTIONS = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
_SETTLE_SECONDS = 2.0
"""PostgreSQL's backends tell their counts about once a second."""


async def board_p99(on: Filled, program: LoadProgram, hospital: str, departments: list[str]) -> Measured:
    """Milliseconds that 99 of 100 board queries stay below at 200 a second; the departments take turns."""
    bodies = on.folder / "boards"
    made = [GetDepartmentBoardRequest(hospital=hospital, department=each).SerializeToString() for each in departments]
    write_bodies(bodies, itertools.islice(itertools.cycle(made), QUERIES_PER_SECOND * QUERY_SECONDS))
    run = Run("grpc", on.service.grpc, _RPC, bodies, _IN_FLIGHT, rate=QUERIES_PER_SECOND)
    told = await asyncio.to_thread(program.run_well, run)
    return Measured(told.ok_us["p99"] / 1000, 0.0, {"p50 ms": told.ok_us["p50"] / 1000, "queries/s": told.per_second})


async def queries_while_waiting(on: Filled, hospital: str, department: str, waiters: int) -> Measured:
    """Queries a second on PostgreSQL while so many wait for an event that no view gets: nothing projects meanwhile."""
    async with grpc.aio.insecure_channel(on.service.grpc) as channel:
        entry = requests.entry(hospital, str(on.records[hospital][0]))
        position = (await RecordServiceStub(channel).RecordEntry(entry)).receipt.position
        request = GetDepartmentBoardRequest(hospital=hospital, department=department, min_position=position)
        end = time.monotonic() + WAIT_SECONDS
        before = await asyncio.to_thread(_transactions, on.postgres.superuser_url)
        asked = await asyncio.gather(*(_wait(channel, request, end) for _ in range(waiters)))
    counted = await asyncio.to_thread(_transactions, on.postgres.superuser_url) - before
    return Measured(counted / WAIT_SECONDS, 0.0, {"calls": float(sum(asked))})


async def _wait(channel: grpc.aio.Channel, request: GetDepartmentBoardRequest, end: float) -> int:
    """How often it had to ask: the service lets nobody wait for longer than 5 s."""
    calls = 0
    while time.monotonic() < end:
        calls += 1
        try:
            await BoardServiceStub(channel).GetDepartmentBoard(request, timeout=10)
        except grpc.aio.AioRpcError as error:
            if error.code() != grpc.StatusCode.DEADLINE_EXCEEDED:
                raise
        else:
            raise ViewRuns(ViewRuns.__doc__)
    return calls


class ViewRuns(Exception):
    """The position was reached: somebody projects, and nothing was waited for."""


def _transactions(url: str) -> int:
    time.sleep(_SETTLE_SECONDS)
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(_TRANSACTIONS).fetchone()
    return row[0] if row else 0
