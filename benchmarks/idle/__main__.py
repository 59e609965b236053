"""`python -m benchmarks.idle` (in `make bench-growth`): 5 busy hospitals with 295 idle ones, beside 5 alone.

Two whole services, each as `ledger up` starts it on the PostgreSQL stream, so that what is measured alternates between
them; while one is measured the other is at rest. Exit status 0 where every target is reached, 1 where one is missed,
else 2.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import grpc.aio

from benchmarks import requests
from benchmarks.command.sides import PER_SECOND_MAX, RPC
from benchmarks.hospital import open_records
from benchmarks.idle.footprint import connections, idle_cores, resident_mib, tree_pids
from benchmarks.load.bodies import entries, write_bodies
from benchmarks.load.program import GoMissing, LoadProgram, Run
from benchmarks.pairs import Measured, Row, in_pairs, not_measured
from benchmarks.process_ticks import cpu_seconds
from benchmarks.report import report
from benchmarks.served import Server, bench_folder, running
from benchmarks.verdict import Target
from ledger.api.v1.records_pb2_grpc import PatientServiceStub
from ledger.api.v1.stream_pb2 import AddHospitalRequest
from ledger.api.v1.stream_pb2_grpc import HospitalServiceStub
from ledger.cli.service_folder import ServiceFolder

BUSY, IDLE = 5, int(os.environ.get("LEDGER_BENCH_IDLE", "295"))
SECONDS = float(os.environ.get("LEDGER_TEST_SECONDS", "3"))
RECORDS = 32
REST_SECONDS = float(os.environ.get("LEDGER_BENCH_REST_SECONDS", "90"))
"""After the last hospital was added: a session that has nothing to do ends after a minute."""
IDLE_SECONDS = 10.0
_ADD_SECONDS_MAX = 60.0
_HOSPITALS = [f"busy{number}" for number in range(BUSY)]
_ALONE = f"{BUSY} hospitals alone"
_RATE = (f"{BUSY} busy hospitals beside {IDLE} idle ones", _ALONE, "commands/s", Target(0.9))
_ADD = ("adding a hospital, until it takes a command", "", "s", Target(2, at_most=True))
_CONNECTIONS = (f"connections to PostgreSQL at rest, {BUSY + IDLE} hospitals", _ALONE, "connections", None)
_MEMORY = (f"memory of all processes at rest, {BUSY + IDLE} hospitals", _ALONE, "MiB", None)
_CPU = (f"CPU at rest, {BUSY + IDLE} hospitals", _ALONE, "cores", None)
_ALL = (_RATE, _ADD, _CONNECTIONS, _MEMORY, _CPU)


@dataclass(frozen=True)
class Service:
    """One `ledger up`, and records in its busy hospitals."""

    server: Server
    url: str
    """libpq URL of its PostgreSQL's superuser."""
    records: dict[str, list[str]]


async def _prepared(server: Server, folder: Path) -> Service:
    records = {each: await open_records(server.grpc, each, RECORDS) for each in _HOSPITALS}
    return Service(server, ServiceFolder.look(folder).superuser_url(), records)


async def _added(server: Server, hospital: str) -> float:
    """Seconds from asking for a hospital to its first command's acknowledgement."""
    began = time.perf_counter()
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        request = AddHospitalRequest(hospital_id=hospital)
        await HospitalServiceStub(channel).AddHospital(request, timeout=_ADD_SECONDS_MAX)
        await PatientServiceStub(channel).RegisterPatient(requests.patient(hospital), timeout=_ADD_SECONDS_MAX)
    return time.perf_counter() - began


async def _rate(service: Service, program: LoadProgram, folder: Path) -> Measured:
    bodies, each = folder / "bodies", int(PER_SECOND_MAX * SECONDS / BUSY)
    mixed = zip(*(entries(hospital, records, each) for hospital, records in service.records.items()), strict=True)
    write_bodies(bodies, itertools.chain.from_iterable(mixed))
    before = cpu_seconds(service.server.pid)
    run = Run("grpc", service.server.grpc, RPC, bodies, 64, SECONDS)
    told = await asyncio.to_thread(program.run_well, run)
    return Measured(told.per_second, (cpu_seconds(service.server.pid) - before) * 1e6 / told.ok)


async def _connections(service: Service) -> Measured:
    return Measured(await asyncio.to_thread(connections, service.url))


async def _memory(service: Service) -> Measured:
    return Measured(await asyncio.to_thread(resident_mib, tree_pids(service.server.pid)))


async def _cpu(service: Service) -> Measured:
    # Never quite none, so that a ratio can be taken.
    return Measured(max(0.001, await asyncio.to_thread(idle_cores, service.server.pid, IDLE_SECONDS)))


async def _added_again(service: Service, numbers: Iterator[int]) -> Measured:
    return Measured(await _added(service.server, f"later{next(numbers)}"))


async def _rows(alone: Service, many: Service, program: LoadProgram, folder: Path) -> list[Row]:
    for number in range(IDLE):
        await _added(many.server, f"idle{number}")
    await asyncio.sleep(REST_SECONDS)
    at_rest = [
        Row(*_CONNECTIONS, await in_pairs(partial(_connections, alone), partial(_connections, many), turns=1)),
        Row(*_MEMORY, await in_pairs(partial(_memory, alone), partial(_memory, many), turns=1)),
        Row(*_CPU, await in_pairs(partial(_cpu, alone), partial(_cpu, many))),
    ]
    sides = partial(_rate, alone, program, folder), partial(_rate, many, program, folder)
    for each in sides:
        await each()  # warm
    rate = Row(*_RATE, await in_pairs(*sides))
    added = Row(*_ADD, await in_pairs(None, partial(_added_again, many, itertools.count())))
    return [rate, added, *at_rest]


async def _measured(servers: list[tuple[Server, Path]], program: LoadProgram, folder: Path) -> list[Row]:
    alone, many = [await _prepared(*each) for each in servers]
    return await _rows(alone, many, program, folder)


def main() -> int:
    """Runs the benchmark."""
    try:
        program = LoadProgram()
    except GoMissing as missing:
        return report("idle", [not_measured(*row, str(missing)) for row in _ALL], {})
    with bench_folder() as folder, ExitStack() as stack:
        servers: list[tuple[Server, Path]] = []
        for name in ("alone", "many"):
            named = itertools.chain.from_iterable(("--hospital", each) for each in _HOSPITALS)
            command = ["ledger.cli.main", "up", "--dir", str(folder / name), "--stream", "postgres", *named]
            servers.append((stack.enter_context(running(command, folder, name=name)), folder / name))
        rows = asyncio.run(_measured(servers, program, folder))
    facts = {"busy": BUSY, "idle": IDLE, "stream": "postgres", "rest_seconds": REST_SECONDS}
    return report("idle", rows, facts)


if __name__ == "__main__":
    sys.exit(main())
