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
from benchmarks.command.sides import Sides
from benchmarks.ground import Ground, ground
from benchmarks.load.program import GoMissing, LoadProgram
from benchmarks.pairs import Row, in_pairs, not_measured
from benchmarks.report import report
from benchmarks.served import running
from benchmarks.verdict import Target

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


def _measured(stood_on: Ground, program: LoadProgram) -> list[Row]:
    sample = product.new_event(b"\x01" * product.BODY_BYTES)
    script = stood_on.folder / "baseline.pgbench"
    pgbench.prepare(stood_on.postgres.superuser_url, script, sample.envelope, sample.body, sample.leaf_hash)
    with running(["benchmarks.command.echo_server"], stood_on.folder, name="echo") as echo:
        return asyncio.run(_rows(Sides(program, stood_on, echo, SECONDS), script))


def main() -> int:
    """Runs the benchmark."""
    try:
        program = LoadProgram()
    except GoMissing as missing:
        rows = [not_measured(*row, str(missing)) for row in (_OVER_GRPC, _OVER_CONNECT, _BOTH, _ONE)]
        return report("command", rows, {})
    with ground(RECORDS) as stood_on:
        rows, version = _measured(stood_on, program), stood_on.postgres.major
    return report("command", rows, {"postgresql": version, "seconds": SECONDS, "records": RECORDS})


if __name__ == "__main__":
    sys.exit(main())
