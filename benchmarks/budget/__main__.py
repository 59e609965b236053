"""`python -m benchmarks.budget`: CPU of the server's thread for one command, by step, under load; table and JSON.

What a command takes is measured without a profiler, the shares with one, which makes Python that is called often look
dearer than it is: they are an order of size. There is no target, so the exit status is 0.
"""

from __future__ import annotations

import asyncio
import cProfile
import json
import pstats
import sys
import time
from pathlib import Path

import uvloop
from prometheus_client import CollectorRegistry
from rich.console import Console
from rich.table import Table

from benchmarks.budget.steps import shares
from benchmarks.command.sides import RPC
from benchmarks.ground import HOSPITAL
from benchmarks.hospital import open_records
from benchmarks.load.bodies import entries, write_bodies
from benchmarks.load.program import LoadProgram, Run, Told
from benchmarks.machine import machine, versions
from benchmarks.report import RESULTS
from benchmarks.served import bench_folder, service_settings
from ledger.application.ledger import Ledger
from ledger.cli.bodies import bodies_with_keys
from ledger.cli.log_store import own_logs
from ledger.config import Settings, load
from ledger.embedded.postgres import EmbeddedPostgres
from ledger.server.log_readers import Logs
from ledger.server.serving import Addresses, run_server
from ledger.store.hospitals import add_hospital
from ledger.store.migrate import migrate

SECONDS = 4.0
IN_FLIGHT = 64
RECORDS = 256
PER_SECOND_MAX = 6000


async def _measured(settings: Settings, program: LoadProgram, folder: Path) -> tuple[float, dict[str, float]]:
    """CPU µs of a command, and the share of each step."""
    await migrate(settings.postgres_migrate_url)
    await add_hospital(settings.postgres_migrate_url, HOSPITAL, origin_prefix="ledger.bench")
    stop = asyncio.Event()
    bound: asyncio.Future[Addresses] = asyncio.get_running_loop().create_future()
    async with bodies_with_keys(settings) as bodies:
        ledger = await Ledger.open(settings, bodies.sealer, bodies.opener)
        logs = Logs(own_logs(settings), ())
        serving = run_server(settings, ledger, {}, stop, bound.set_result, logs=logs, registry=CollectorRegistry())
        running = asyncio.create_task(serving)
        address = (await bound).grpc
        load_once = _Load(program, folder / "bodies", address, await open_records(address, HOSPITAL, RECORDS))
        await load_once.told()  # warm
        cpu_us = await load_once.cpu_us()
        with cProfile.Profile(time.thread_time) as profile:
            await load_once.told()
        stop.set()
        await running
        await ledger.close()
    return cpu_us, shares(pstats.Stats(profile))


class _Load:
    """The load of one turn, from a process of its own."""

    def __init__(self, program: LoadProgram, bodies: Path, address: str, records: list[str]) -> None:
        self._program = program
        self._bodies = bodies
        self._run = Run("grpc", address, RPC, bodies, IN_FLIGHT, SECONDS)
        self._records = records

    async def told(self) -> Told:
        await asyncio.to_thread(self._write)
        return await asyncio.to_thread(self._program.run_well, self._run)

    async def cpu_us(self) -> float:
        """CPU of the loop's thread for each command."""
        await asyncio.to_thread(self._write)
        before = time.thread_time()
        told = await asyncio.to_thread(self._program.run_well, self._run)
        return (time.thread_time() - before) * 1e6 / told.ok

    def _write(self) -> None:
        write_bodies(self._bodies, entries(HOSPITAL, self._records, int(PER_SECOND_MAX * SECONDS)))


def main() -> int:
    """Measures, prints, writes."""
    program = LoadProgram()
    with bench_folder() as folder, EmbeddedPostgres(folder / "postgres") as postgres:
        settings = load(service_settings(folder, postgres))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            cpu_us, found = runner.run(_measured(settings, program, folder))
        version = postgres.major
    table = Table("step", "share", "CPU µs", title=f"{cpu_us:,.0f} µs of the server's thread for one command")
    for step, share in found.items():
        table.add_row(step, f"{share:.1%}", f"{share * cpu_us:,.0f}")
    Console().print(table)
    rounded = {step: round(share, 4) for step, share in found.items()}
    told = {"machine": machine(), "versions": versions(), "postgresql": version, "in_flight": IN_FLIGHT}
    RESULTS.mkdir(exist_ok=True)
    kept = told | {"cpu_us": round(cpu_us), "shares": rounded}
    (RESULTS / "budget.json").write_text(json.dumps(kept, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
