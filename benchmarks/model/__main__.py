"""`python -m benchmarks.model`: what the model predicts for loads that it was not fed with, beside what they measure.

Exit status 0 where every prediction is within a fifth, 1 where one is not, else 2.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace

from rich.console import Console
from rich.table import Table

from benchmarks.command.__main__ import RECORDS
from benchmarks.command.sides import Sides
from benchmarks.ground import ground
from benchmarks.load.program import GoMissing, LoadProgram
from benchmarks.model.service_times import CALLERS, Observed, costs_of, observe
from benchmarks.model.simulation import Costs, WritePath
from benchmarks.pairs import Measured, Row, in_pairs, not_measured
from benchmarks.report import report
from benchmarks.served import Server
from benchmarks.verdict import Target

SECONDS = float(os.environ.get("LEDGER_TEST_SECONDS", "3"))
PREDICTED = (4, 32, 64)
COMMANDS = 20_000
_TARGET = Target(0.2, at_most=True)
_COMMITS_US = (100.0, 500.0, 2_000.0, 5_000.0)


async def _rows(sides: Sides) -> tuple[list[Row], list[Costs]]:
    await sides.grpc(64)  # warm
    used: list[Costs] = []

    async def off_by(in_flight: int) -> Measured:
        """How far the prediction is off; service times are taken anew each time, right before."""
        fed = [await observe(sides, each) for each in CALLERS]
        used.append(costs_of(fed))
        return _compared(used[-1], await observe(sides, in_flight))

    async def row(in_flight: int) -> Row:
        pairs = await in_pairs(None, lambda: off_by(in_flight))
        return Row(_name(in_flight), "", "share of the measured rate", _TARGET, pairs)

    return [await row(each) for each in PREDICTED], used


def _compared(costs: Costs, observed: Observed) -> Measured:
    predicted = WritePath(costs, observed.in_flight).run(COMMANDS)
    beside = {
        "measured/s": observed.per_second,
        "predicted/s": predicted.per_second,
        "measured p50 µs": observed.p50_us,
        "predicted p50 µs": predicted.p50_us,
        "measured group": observed.group_size,
        "predicted group": predicted.group_size,
    }
    return Measured(abs(predicted.per_second / observed.per_second - 1), observed.server_cpu, beside)


def _name(in_flight: int) -> str:
    return f"prediction, {in_flight} in flight"


def _print_what_if(costs: Costs, console: Console) -> None:
    """What the model says of other disks: by it alone, nobody measured them."""
    table = Table("a commit waits, µs", *(f"{each} in flight" for each in (1, *PREDICTED, 256)), title="predicted only")
    for durable in _COMMITS_US:
        slower = replace(costs, durable=durable)
        rates = [WritePath(slower, each).run(COMMANDS).per_second for each in (1, *PREDICTED, 256)]
        table.add_row(f"{durable:,.0f}", *(f"{each:,.0f}/s" for each in rates))
    console.print(table)


def _measured(program: LoadProgram) -> tuple[list[Row], list[Costs], int]:
    with ground(RECORDS) as stood_on:
        rows, used = asyncio.run(_rows(Sides(program, stood_on, Server(0, ""), SECONDS)))
        return rows, used, stood_on.postgres.major


def _middle(used: Sequence[Costs]) -> Costs:
    return sorted(used, key=lambda each: each.command)[len(used) // 2]


def main() -> int:
    """Runs the benchmark."""
    try:
        program = LoadProgram()
    except GoMissing as missing:
        unit = "share of the measured rate"
        return report("model", [not_measured(_name(each), "", unit, _TARGET, str(missing)) for each in PREDICTED], {})
    rows, used, version = _measured(program)
    costs = _middle(used)
    _print_what_if(costs, Console(width=140))
    return report("model", rows, {"postgresql": version, "seconds": SECONDS, "service_times_us": asdict(costs)})


if __name__ == "__main__":
    sys.exit(main())
