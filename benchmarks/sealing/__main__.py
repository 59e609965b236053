"""`python -m benchmarks.sealing`: turns of the whole command path without and with sealing; table and JSON.

Over gRPC, with the edge, where the target is: entries on records that exist, of which a hospital writes dozens for each
record that it begins. Behind the edge, without a target: entries, and commands that begin a record. Exit status 0 where
the target is reached, 1 where it is missed, 2 where the turns lie on both sides of it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import partial

from benchmarks.load.program import GoMissing, LoadProgram
from benchmarks.pairs import Measured, Row, in_pairs, not_measured
from benchmarks.report import report
from benchmarks.sealing.clear_bodies import ClearBodies
from benchmarks.sealing.load import Caller, Rate
from benchmarks.sealing.served_sides import served_rows
from benchmarks.served import bench_folder, service_settings
from benchmarks.verdict import Target
from ledger.application.ledger import Ledger
from ledger.cli.bodies import bodies_with_keys
from ledger.cli.cycles import look_seldom
from ledger.config import Settings, load
from ledger.embedded.postgres import EmbeddedPostgres
from ledger.store.migrate import migrate

TARGET = 0.9
SECONDS = 0.5
SLICES = 6
"""Of each side in a pair, in turns: the server's flushes last about as long as one, and fell upon one side alone."""
_CLEAR, _SEALED = "clear", "sealed"
_CLEAR_SIDE = "bodies in the clear"
_SERVED = tuple(
    (so_many, (f"entries over gRPC, {so_many} in flight", _CLEAR_SIDE, "commands/s", Target(TARGET)))
    for so_many in (1, 64)
)


async def _measure(settings: Settings) -> list[Row]:
    await migrate(settings.postgres_migrate_url)
    async with bodies_with_keys(settings) as bodies:
        nothing = ClearBodies()
        without = await Ledger.open(settings, nothing, nothing)
        sealing = await Ledger.open(settings, bodies.sealer, bodies.opener)
        try:
            for hospital in (_CLEAR, _SEALED):
                await without.add_hospital(hospital, 1, "")
            await sealing.hospitals()
            clear, sealed = Caller(without, _CLEAR), Caller(sealing, _SEALED)
            rows: list[Row] = []
            for in_flight in (1, 64):
                rows.append(await _row("entries", in_flight, clear.entries, sealed.entries))
                rows.append(await _row("beginnings", in_flight, clear.beginnings, sealed.beginnings))
            return rows
        finally:
            await without.close()
            await sealing.close()


Turn = Callable[[int, float], Awaitable[Rate]]


async def _row(load: str, in_flight: int, clear: Turn, sealed: Turn) -> Row:
    for each in (clear, sealed):
        await each(in_flight, 0.5)  # warm
    pairs = await in_pairs(partial(_turn, clear, in_flight), partial(_turn, sealed, in_flight), slices=SLICES)
    return Row(f"{load} behind the edge, {in_flight} in flight", _CLEAR_SIDE, "commands/s", None, pairs)


async def _turn(side: Turn, in_flight: int) -> Measured:
    rate = await side(in_flight, SECONDS)
    return Measured(rate.per_second, rate.cpu_us)


def main() -> int:
    """Runs the benchmark, and looks for cycles as the service does."""
    look_seldom()
    with bench_folder() as folder, EmbeddedPostgres(folder / "postgres") as server:
        settings = service_settings(folder, server)
        rows = asyncio.run(_measure(load(settings)))
        try:
            served = served_rows(_SERVED, settings, folder, server, LoadProgram())
        except GoMissing as missing:
            served = [not_measured(*name, str(missing)) for _, name in _SERVED]
        version = server.major
    return report("sealing", [*served, *rows], {"postgresql": version, "seconds": SECONDS, "slices": SLICES})


if __name__ == "__main__":
    sys.exit(main())
