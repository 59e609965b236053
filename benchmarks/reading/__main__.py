"""`python -m benchmarks.reading`: a record cold and warm, 20 events for 16 clients, everything; table and JSON.

Exit status 0 where every target is reached, 1 where one is missed, else 2.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from functools import partial
from uuid import UUID

from benchmarks.command.sides import RPC
from benchmarks.ground import HOSPITAL, Ground, ground
from benchmarks.integrated import integrate
from benchmarks.load.bodies import entries, write_bodies
from benchmarks.load.program import GoMissing, LoadProgram, Run
from benchmarks.pairs import Row, in_pairs, not_measured
from benchmarks.reading import bare, product
from benchmarks.replayed import in_bundles, in_events
from benchmarks.report import report
from benchmarks.verdict import Target
from ledger.application.ledger import Ledger
from ledger.cli.bodies import bodies_with_keys
from ledger.config import load

SECONDS = float(os.environ.get("LEDGER_TEST_SECONDS", "3"))
LONG, RECORDS, CLIENTS, LOOKS = 1000, 256, 16, 50
EVENTS = int(8000 * SECONDS)
_SELECT = "SELECT of the same rows"
_COLD = (f"a record of {LONG:,} events, cold", _SELECT, "ms", Target(3, at_most=True))
_WARM = (f"a record of {LONG:,} events, warm", "", "ms", Target(0.3, at_most=True))
_FEW = (f"{product.FEW} events of one record, {CLIENTS} clients, at the store", _SELECT, "reads/s", Target(0.75))
_REPLAY = ("replay from PostgreSQL over gRPC, envelopes decoded", f"{_SELECT}, decoded", "events/s", Target(0.5))

_BUNDLES = ("replay in raw bundles out of the log, envelopes decoded", "ReadHospital", "events/s", None)


async def _rows(stood_on: Ground) -> list[Row]:
    url, settings = stood_on.postgres.superuser_url, load(stood_on.settings)
    long, *others = map(UUID, stood_on.records)
    select = partial(bare.record, url, long, LOOKS)
    async with bodies_with_keys(settings) as bodies:
        cold = await in_pairs(select, partial(product.cold, settings, bodies, long, others[0]))
        ledger = await Ledger.open(settings, bodies.sealer, bodies.opener)
        warm = await in_pairs(None, partial(product.warm, ledger, long, LOOKS))
        await ledger.close()
    some = (url, others, CLIENTS, SECONDS)
    few = await in_pairs(partial(bare.few, *some), partial(product.few, *some))
    replay = await in_pairs(partial(bare.replay, url), partial(product.replay, stood_on.service.grpc))
    await asyncio.to_thread(integrate, stood_on, HOSPITAL, EVENTS + LONG)
    served = stood_on.service
    bundles = await in_pairs(in_events(served, HOSPITAL), in_bundles(served, HOSPITAL))
    return [Row(*_COLD, cold), Row(*_WARM, warm), Row(*_FEW, few), Row(*_REPLAY, replay), Row(*_BUNDLES, bundles)]


def _fill(program: LoadProgram, stood_on: Ground) -> None:
    """The first record has the thousand, the others share the rest."""
    long, *others = stood_on.records
    bodies = stood_on.folder / "bodies"
    write_bodies(bodies, itertools.chain(entries(HOSPITAL, [long], LONG), entries(HOSPITAL, others, EVENTS)))
    program.run_well(Run("grpc", stood_on.service.grpc, RPC, bodies, 64))


def main() -> int:
    """Runs the benchmark."""
    try:
        program = LoadProgram()
    except GoMissing as missing:
        return report(
            "reading", [not_measured(*row, str(missing)) for row in (_COLD, _WARM, _FEW, _REPLAY, _BUNDLES)], {}
        )
    with ground(RECORDS) as stood_on:
        _fill(program, stood_on)
        rows, version = asyncio.run(_rows(stood_on)), stood_on.postgres.major
    return report("reading", rows, {"postgresql": version, "events": EVENTS + LONG, "seconds": SECONDS})


if __name__ == "__main__":
    sys.exit(main())
