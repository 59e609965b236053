"""`python -m benchmarks.command`: the whole command beside a bare grpc.aio echo of the same message; table and JSON.

Exit status 0 where every target is reached, 1 where one is missed, else 2.
"""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial
from pathlib import Path

from benchmarks.append import pgbench, product
from benchmarks.command.sides import HOSPITAL, Sides
from benchmarks.hospital import open_records
from benchmarks.load.program import GoMissing, LoadProgram
from benchmarks.pairs import Row, in_pairs, not_measured
from benchmarks.report import report
from benchmarks.served import bench_folder, running, service_settings, serving
from benchmarks.verdict import Target
from ledger.embedded.postgres import EmbeddedPostgres
from ledger.store.hospitals import add_hospital
from ledger.store.migrate import migrate

SECONDS = float(os.environ.get("LEDGER_TEST_SECONDS", "3"))
IN_FLIGHT = 64
RECORDS = 256
_ECHO, _PARTS, _GRPC = "grpc.aio echo of the same message", "echo p50 + pgbench mean / 0.4", "the same over gRPC"
_OVER_GRPC = ("command over gRPC, 64 in flight", _ECHO, "commands/s", Target(0.6))
_OVER_CONNECT = ("command over Connect, 64 in flight", _ECHO, "commands/s", None)
_BOTH = ("Connect beside gRPC, 64 in flight", _GRPC, "commands/s", Target(1.0))
_ONE = ("command over gRPC, one in flight, p50", _PARTS, "µs", Target(1.3, at_most=True))


async def _rows(sides: Sides, script: Path) -> list[Row]:
    echoed, grpc = partial(sides.echoed, IN_FLIGHT), partial(sides.grpc, IN_FLIGHT)
    connect = partial(sides.connect, IN_FLIGHT)
    for each in (echoed, grpc, connect):
        await each()  # warm
    return [
        Row(*_OVER_GRPC, await in_pairs(echoed, grpc)),
        Row(*_OVER_CONNECT, await in_pairs(echoed, connect)),
        Row(*_BOTH, await in_pairs(grpc, connect)),
        Row(*_ONE, await in_pairs(partial(sides.parts_one_by_one, script), sides.one_by_one)),
    ]


def _measured(folder: Path, postgres: EmbeddedPostgres, program: LoadProgram) -> list[Row]:
    asyncio.run(prepared(postgres.superuser_url))
    sample = product.new_event(b"\x5a" * product.BODY_BYTES)
    script = folder / "baseline.pgbench"
    pgbench.prepare(postgres.superuser_url, script, sample.envelope, sample.body, sample.leaf_hash)
    settings = service_settings(folder, postgres)
    with serving(settings, folder) as service, running(["benchmarks.command.echo_server"], folder, name="echo") as echo:
        records = asyncio.run(open_records(service.grpc, HOSPITAL, RECORDS))
        return asyncio.run(_rows(Sides(program, postgres, service, echo, records, folder, SECONDS), script))


async def prepared(url: str) -> None:
    """A database with the hospital of this benchmark."""
    await migrate(url)
    await add_hospital(url, HOSPITAL, origin_prefix="ledger.bench")


def main() -> int:
    """Runs the benchmark."""
    try:
        program = LoadProgram()
    except GoMissing as missing:
        rows = [not_measured(*row, str(missing)) for row in (_OVER_GRPC, _OVER_CONNECT, _BOTH, _ONE)]
        return report("command", rows, {})
    with bench_folder() as folder, EmbeddedPostgres(folder / "postgres") as postgres:
        rows, version = _measured(folder, postgres, program), postgres.major
    return report("command", rows, {"postgresql": version, "seconds": SECONDS, "records": RECORDS})


if __name__ == "__main__":
    sys.exit(main())
