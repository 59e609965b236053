"""`python -m benchmarks.visible`: from acknowledged to shown on a department's board, through Kafka; table and JSON.

The whole service runs as `ledger up` starts it. While 500 commands a second come to other records, one caller writes an
entry, waits for the answer and asks the board for no less than its position: the time from answer to answer holds the
query too, so the row was there before. Exit status 0 where every target is reached, 1 where one is missed, else 2.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time

import grpc
import grpc.aio

from benchmarks import requests
from benchmarks.command.sides import RPC
from benchmarks.ground import HOSPITAL
from benchmarks.hospital import open_records
from benchmarks.load.bodies import entries, write_bodies
from benchmarks.load.program import GoMissing, LoadProgram, Run
from benchmarks.pairs import Measured, Pair, Row, in_pairs, not_measured
from benchmarks.report import report
from benchmarks.served import bench_folder, running
from benchmarks.verdict import Target
from ledger.api.v1.boards_pb2 import GetDepartmentBoardRequest
from ledger.api.v1.boards_pb2_grpc import BoardServiceStub
from ledger.api.v1.records_pb2_grpc import RecordServiceStub
from ledger.embedded.kafka_jars import default_cache, provide_jars

SECONDS = 4 * float(os.environ.get("LEDGER_TEST_SECONDS", "3"))
"""Of one turn; five make a minute."""
RATE = int(os.environ.get("LEDGER_TEST_RATE", "500"))
IN_FLIGHT, RECORDS = 64, 256
PROBED = "PROBE"
PERCENTILES = 100
_P50 = (f"acknowledged to visible at {RATE} commands/s, p50", "", "ms", Target(25, at_most=True))
_P99 = (f"acknowledged to visible at {RATE} commands/s, p99", "", "ms", Target(100, at_most=True))


async def _turn(program: LoadProgram, run: Run, probed: str) -> Measured:
    """Half of the probes took less; the 99th percentile and the load's own rate beside it."""
    sending = asyncio.create_task(asyncio.to_thread(program.run_well, run))
    spent: list[float] = []
    async with grpc.aio.insecure_channel(run.address) as channel:
        while not sending.done():
            spent.append(await _probe(channel, probed))
    # Of few probes the slowest stands for the last percentile.
    p99 = statistics.quantiles(spent, n=PERCENTILES)[-1] if len(spent) >= PERCENTILES else max(spent)
    beside = {"p99 ms": p99, "probes": float(len(spent)), "commands/s": (await sending).per_second}
    return Measured(statistics.median(spent), 0.0, beside)


async def _probe(channel: grpc.aio.Channel, probed: str) -> float:
    """Milliseconds from the command's answer to the board that shows it; where that gave up waiting, until it did."""
    receipt = (await RecordServiceStub(channel).RecordEntry(requests.entry(HOSPITAL, probed))).receipt
    acknowledged = time.perf_counter()
    request = GetDepartmentBoardRequest(hospital=HOSPITAL, department=PROBED, min_position=receipt.position)
    try:
        await BoardServiceStub(channel).GetDepartmentBoard(request)
    except grpc.aio.AioRpcError as error:
        if error.code() != grpc.StatusCode.DEADLINE_EXCEEDED:
            raise
    return (time.perf_counter() - acknowledged) * 1000


async def _rows(program: LoadProgram, address: str) -> list[Row]:
    probed = (await open_records(address, HOSPITAL, 1, PROBED))[0]
    records = await open_records(address, HOSPITAL, RECORDS)
    with bench_folder() as folder:
        bodies = folder / "bodies"

        async def turn() -> Measured:
            write_bodies(bodies, entries(HOSPITAL, records, int(RATE * SECONDS)))
            return await _turn(program, Run("grpc", address, RPC, bodies, IN_FLIGHT, rate=RATE), probed)

        await turn()  # warm
        pairs = await in_pairs(None, turn)
    p99 = tuple(Pair(None, Measured(each.product.beside["p99 ms"]), each.foreign_cores) for each in pairs)
    return [Row(*_P50, pairs), Row(*_P99, p99)]


def main() -> int:
    """Runs the benchmark."""
    try:
        program = LoadProgram()
    except GoMissing as missing:
        return report("visible", [not_measured(*row, str(missing)) for row in (_P50, _P99)], {})
    provide_jars(default_cache())
    with bench_folder() as folder:
        whole = ["ledger.cli.main", "up", "--dir", str(folder / "up"), "--stream", "kafka", "--hospital", HOSPITAL]
        with running(whole, folder, name="up") as service:
            rows = asyncio.run(_rows(program, service.grpc))
    return report("visible", rows, {"commands_per_second": RATE, "seconds_in_a_turn": SECONDS})


if __name__ == "__main__":
    sys.exit(main())
