"""The rows over gRPC: the whole command path with its edge, bodies in the clear and sealed, in two processes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.hospital import open_records
from benchmarks.load.bodies import entries, write_bodies
from benchmarks.load.program import LoadProgram, Run
from benchmarks.pairs import Measured, Row, in_pairs
from benchmarks.process_ticks import cpu_seconds
from benchmarks.sealing.server import CLEAR, SEALED
from benchmarks.served import Server, running
from benchmarks.verdict import Target
from ledger.embedded.postgres import EmbeddedPostgres
from ledger.store.hospitals import add_hospital

RPC = "ledger.api.v1.RecordService/RecordEntry"
RECORDS = 256
SECONDS = 1.0
SLICES = 4
"""Of each side in a pair, in turns."""
PER_SECOND_MAX = 3000
"""Bodies made for each second: more than either side answers."""


@dataclass(frozen=True)
class ServedSide:
    """One of the two, with its hospital's records."""

    program: LoadProgram
    server: Server
    hospital: str
    records: Sequence[str]
    bodies: Path

    async def rate(self, in_flight: int) -> Measured:
        """Commands a second of one turn, and the server's CPU for each."""
        write_bodies(self.bodies, entries(self.hospital, self.records, int(PER_SECOND_MAX * SECONDS)))
        run = Run("grpc", self.server.grpc, RPC, self.bodies, in_flight, SECONDS)
        before = cpu_seconds(self.server.pid)
        told = await asyncio.to_thread(self.program.run_well, run)
        return Measured(told.per_second, (cpu_seconds(self.server.pid) - before) * 1e6 / told.ok)


def served_rows(
    names: Sequence[tuple[int, tuple[str, str, str, Target | None]]],
    settings: dict[str, str],
    folder: Path,
    postgres: EmbeddedPostgres,
    program: LoadProgram,
) -> list[Row]:
    """A row for each number of commands in flight."""
    for side in (CLEAR, SEALED):
        asyncio.run(add_hospital(postgres.superuser_url, f"served-{side}", origin_prefix="ledger.bench"))
    module = "benchmarks.sealing.server"
    with (
        running([module, CLEAR], folder, settings, CLEAR) as clear,
        running([module, SEALED], folder, settings, SEALED) as sealed,
    ):
        return asyncio.run(_rows(names, folder, program, clear, sealed))


async def _rows(
    names: Sequence[tuple[int, tuple[str, str, str, Target | None]]],
    folder: Path,
    program: LoadProgram,
    clear: Server,
    sealed: Server,
) -> list[Row]:
    sides: list[ServedSide] = []
    for side, server in ((CLEAR, clear), (SEALED, sealed)):
        hospital = f"served-{side}"
        records = await open_records(server.grpc, hospital, RECORDS)
        sides.append(ServedSide(program, server, hospital, records, folder / f"{side}.bodies"))
    rows: list[Row] = []
    for in_flight, name in names:
        without, sealing = ((lambda of=of, so_many=in_flight: of.rate(so_many)) for of in sides)
        for each in (without, sealing):
            await each()  # warm
        rows.append(Row(*name, await in_pairs(without, sealing, slices=SLICES)))
    return rows
