"""`python -m benchmarks.bulk`: one client stream of commands beside a binary COPY of as many rows; table and JSON.

Every body that the service stores is sealed, so a load in the clear does not exist. Exit status 0 where the target is
reached, 1 where it is missed, else 2.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import psycopg

from benchmarks import requests
from benchmarks.append import pgbench, product
from benchmarks.ground import HOSPITAL, Ground, ground
from benchmarks.load.bodies import write_bodies
from benchmarks.load.program import GoMissing, LoadProgram, Run
from benchmarks.pairs import Measured, Row, in_pairs, not_measured
from benchmarks.process_ticks import cpu_seconds
from benchmarks.report import report
from benchmarks.verdict import Target
from ledger.api.v1.records_pb2 import BulkLoadRequest

COMMANDS = int(float(os.environ.get("LEDGER_TEST_SECONDS", "3")) * 2000)
RECORDS = 1024
RPC = "ledger.api.v1.RecordService/BulkLoad"
_COPY = (
    "COPY baseline.events (stream_id, version, command_id, type, recorded_at, envelope, body, leaf_hash)"
    " FROM STDIN (FORMAT binary)"
)
_TYPES = ("uuid", "int8", "uuid", "text", "int8", "bytea", "bytea", "bytea")
_SEALED = ("bulk load on one client stream, sealed", "binary COPY of as many rows", "events/s", Target(0.15))


class _Sides:
    def __init__(self, program: LoadProgram, stood_on: Ground) -> None:
        self._program = program
        self._on = stood_on

    async def copied(self) -> Measured:
        return Measured(await asyncio.to_thread(self._copy))

    def _copy(self) -> float:
        appends = product.commands(COMMANDS)
        with psycopg.connect(self._on.postgres.superuser_url, autocommit=True) as connection:
            began = time.perf_counter()
            with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
                copy.set_types(_TYPES)
                for append in appends:
                    event = append.events[0]
                    row = (event.stream_id, event.version, append.command_id, event.type, event.recorded_at)
                    copy.write_row((*row, event.envelope, event.body, event.leaf_hash))
            return COMMANDS / (time.perf_counter() - began)

    async def loaded(self) -> Measured:
        bodies = self._on.folder / "bodies"
        write_bodies(bodies, self._requests())
        before = cpu_seconds(self._on.service.pid)
        run = Run("upload", self._on.service.grpc, RPC, bodies, 1)
        told = await asyncio.to_thread(self._program.run_well, run)
        return Measured(told.per_second, (cpu_seconds(self._on.service.pid) - before) * 1e6 / told.ok)

    def _requests(self) -> Iterable[bytes]:
        records = self._on.records
        for number in range(COMMANDS):
            entry = requests.entry(HOSPITAL, records[number % len(records)])
            yield BulkLoadRequest(record_entry=entry).SerializeToString()


def _measured(program: LoadProgram, stood_on: Ground) -> Row:
    sample = product.new_event(b"\x01" * product.BODY_BYTES)
    script: Path = stood_on.folder / "baseline.pgbench"
    pgbench.prepare(stood_on.postgres.superuser_url, script, sample.envelope, sample.body, sample.leaf_hash)
    sides = _Sides(program, stood_on)
    return Row(*_SEALED, asyncio.run(in_pairs(sides.copied, sides.loaded)))


def main() -> int:
    """Runs the benchmark."""
    try:
        program = LoadProgram()
    except GoMissing as missing:
        return report("bulk", [not_measured(*_SEALED, str(missing))], {})
    with ground(RECORDS) as stood_on:
        row, version = _measured(program, stood_on), stood_on.postgres.major
    return report("bulk", [row], {"postgresql": version, "commands": COMMANDS})


if __name__ == "__main__":
    sys.exit(main())
