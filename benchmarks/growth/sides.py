"""What is measured of one hospital, as one turn; the same of the small and of the large one."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

import grpc.aio
import psycopg
from psycopg import sql

from benchmarks import requests
from benchmarks.command.sides import PER_SECOND_MAX, RPC
from benchmarks.growth.filled import Filled
from benchmarks.load.bodies import entries, write_bodies
from benchmarks.load.program import LoadProgram, Run
from benchmarks.pairs import Measured
from benchmarks.process_ticks import cpu_seconds
from ledger.api.v1.boards_pb2 import GetDepartmentBoardRequest
from ledger.api.v1.boards_pb2_grpc import BoardServiceStub
from ledger.api.v1.records_pb2_grpc import RecordServiceStub
from ledger.application.ledger import Ledger
from ledger.cli.bodies import bodies_with_keys
from ledger.config import load
from ledger.publisher.ledger_log import BATCH, LedgerLog, log_pool
from ledger.store.statements import schema_of
from ledger.store.whole_ledger import verify_stored
from ledger.trust.verify import Summary

WRITTEN_RECORDS = 256
"""The first that were filled. They grow by what is written: others are loaded, and the boards of others are asked."""
WRITTEN_DEPARTMENTS = 16
LOADED_RECORDS = 200
BOARD_RATE, BOARD_SECONDS = 100, 5
PROBES = 100
BATCHES = 20
VERIFIED_EVENTS = 5_000
_BOARD_RPC = "ledger.api.v1.BoardService/GetDepartmentBoard"
_TABLES = ("events", "stream_heads", "commands")
_BYTES: LiteralString = "SELECT pg_total_relation_size({quoted})"
_HEAD: LiteralString = "SELECT position FROM {table}"
_COUNT: LiteralString = "SELECT count(*) FROM {table}"


class NotVerified(Exception):
    """A filled ledger did not hold: nothing measured of it counts."""


@dataclass(frozen=True)
class Sides:
    """The service and one of its hospitals."""

    on: Filled
    program: LoadProgram
    hospital: str
    departments: int
    seconds: float

    async def append(self) -> Measured:
        """Whole commands a second over gRPC, 64 in flight, on records among all others. CPU is the service's."""
        bodies = self.on.folder / "bodies"
        names = [str(each) for each in self.on.records[self.hospital][:WRITTEN_RECORDS]]
        write_bodies(bodies, entries(self.hospital, names, int(PER_SECOND_MAX * self.seconds)))
        before = cpu_seconds(self.on.service.pid)
        run = Run("grpc", self.on.service.grpc, RPC, bodies, 64, self.seconds)
        told = await asyncio.to_thread(self.program.run_well, run)
        return Measured(told.per_second, (cpu_seconds(self.on.service.pid) - before) * 1e6 / told.ok)

    async def load(self) -> Measured:
        """Milliseconds to load a record that this process knows nothing of; the median of records anywhere."""
        settings = load(self.on.settings)
        async with bodies_with_keys(settings) as bodies:
            ledger = await Ledger.open(settings, bodies.sealer, bodies.opener)
            try:
                spent = [await _seconds(ledger, self.hospital, each) for each in self._unwritten()]
            finally:
                await ledger.close()
        return Measured(statistics.median(spent) * 1000)

    async def board(self) -> Measured:
        """Milliseconds that half of all board queries take less than, departments at random, at a steady rate."""
        bodies, chosen = self.on.folder / "boards", random.Random(3)  # noqa: S311 - which board, nothing secret
        # A ledger of a few departments, as in a trial run, has none that is not written to.
        first = WRITTEN_DEPARTMENTS + 1 if self.departments > WRITTEN_DEPARTMENTS else 1
        numbers = (chosen.randint(first, self.departments) for _ in range(BOARD_RATE * BOARD_SECONDS))
        departments = [f"D{number:05d}" for number in numbers]
        made = (GetDepartmentBoardRequest(hospital=self.hospital, department=each) for each in departments)
        write_bodies(bodies, (each.SerializeToString() for each in made))
        run = Run("grpc", self.on.service.grpc, _BOARD_RPC, bodies, 16, rate=BOARD_RATE)
        told = await asyncio.to_thread(self.program.run_well, run)
        return Measured(told.ok_us["p50"] / 1000, 0.0, {"p99 ms": told.ok_us["p99"] / 1000})

    async def publisher_batch(self) -> Measured:
        """Milliseconds of a publisher's batch of 500 at the end of the ledger, the median of several."""
        spent: list[float] = []
        async with log_pool(self.on.postgres.superuser_url) as pool:
            log = LedgerLog(pool)
            head = (await log.heads([self.hospital]))[self.hospital]
            for _ in range(BATCHES):
                began = time.perf_counter()
                await log.after(self.hospital, head - BATCH)
                spent.append((time.perf_counter() - began) * 1000)
        return Measured(statistics.median(spent))

    async def visible(self) -> Measured:
        """Milliseconds from an acknowledgement to the board that shows it, through the published stream; the median."""
        spent: list[float] = []
        record = str(self.on.records[self.hospital][0])
        async with grpc.aio.insecure_channel(self.on.service.grpc) as channel:
            for _ in range(PROBES):
                receipt = (await RecordServiceStub(channel).RecordEntry(requests.entry(self.hospital, record))).receipt
                began, department = time.perf_counter(), "D00001"
                asked = GetDepartmentBoardRequest(
                    hospital=self.hospital, department=department, min_position=receipt.position
                )
                await BoardServiceStub(channel).GetDepartmentBoard(asked, timeout=10)
                spent.append((time.perf_counter() - began) * 1000)
        return Measured(statistics.median(spent))

    async def verified_since(self) -> Measured:
        """Seconds to verify the last events, those before them known from an earlier time."""
        url = self.on.postgres.superuser_url
        async with log_pool(url) as pool:
            head = (await LedgerLog(pool).heads([self.hospital]))[self.hospital]
        began = time.perf_counter()
        found = await verify_stored(url, self.hospital, since=head - VERIFIED_EVENTS)
        if not isinstance(found, Summary):
            raise NotVerified(found)
        return Measured(time.perf_counter() - began)

    async def bytes_per_event(self) -> Measured:
        """On the disk, with indexes: of an event and its share of stream heads, and of the command that wrote it."""
        return await asyncio.to_thread(self._bytes)

    def _bytes(self) -> Measured:
        with psycopg.connect(self.on.postgres.superuser_url, autocommit=True) as connection:
            events, heads, commands = (self._number(connection, _BYTES, table) for table in _TABLES)
            head = self._number(connection, _HEAD, "head")
            # Lives were filled by a command for each stream; in service each event here has a command of its own.
            asked = self._number(connection, _COUNT, "commands")
        parts = {"events": events / head, "stream_heads": heads / head, "commands": commands / asked}
        return Measured(sum(parts.values()), 0.0, parts)

    def _number(self, connection: psycopg.Connection[tuple[int]], statement: LiteralString, table: str) -> int:
        name = sql.Identifier(schema_of(self.hospital), table)
        text = sql.SQL(statement).format(table=name, quoted=sql.Literal(name.as_string(connection)))
        row = connection.execute(text).fetchone()
        return row[0] if row else 0

    def _unwritten(self) -> list[UUID]:
        """Others at each call, none of them twice."""
        records = self.on.records[self.hospital]
        others = records[2 * WRITTEN_RECORDS :] or records
        return random.sample(others, min(LOADED_RECORDS, len(others)))


async def _seconds(ledger: Ledger, hospital: str, record: UUID) -> float:
    began = time.perf_counter()
    await ledger.record(hospital, record)
    return time.perf_counter() - began
