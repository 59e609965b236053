"""`python -m benchmarks.peers` (`make bench-peers`): the same job on other event stores and on ours; table and JSON.

One durable append on condition that the record has no event yet, 1, 16 and 64 in flight; 20 events of one record for 16
clients; everything replayed. Exit status 0 where every system was measured and the one target is reached, else 1 or 2.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

from rich.console import Console

from benchmarks.ground import Ground, ground
from benchmarks.load.program import GoMissing, LoadProgram
from benchmarks.pairs import Row, in_pairs, not_measured
from benchmarks.peers import our_service
from benchmarks.peers.bare import Bare
from benchmarks.peers.driver import DriverFailed
from benchmarks.peers.fetched import peer_versions
from benchmarks.peers.job import EVENT_BYTES, EVENTS, IN_FLIGHT, READERS, SECONDS, Probe, System
from benchmarks.peers.limits import NOTES, limits_table
from benchmarks.peers.our_service import OurService
from benchmarks.peers.present import UMADB, Missing, systems
from benchmarks.peers.store_driver import HOSPITAL
from benchmarks.report import report
from benchmarks.verdict import Target
from ledger.store.hospitals import add_hospital

RECORDS = 256
_WIDTH = 200
_SELECT = "bare SELECT, psycopg"
_TARGET = ("replay over gRPC into Python, envelopes decoded", "UmaDB's Python client", "events/s", Target(1.0))
_SERVICE = (f"{our_service.NAME}: append, 64 in flight", "pgbench", "events/s", None)


async def _rows(stood_on: Ground, found: Sequence[System]) -> tuple[list[Row], dict[str, Probe]]:
    await add_hospital(stood_on.postgres.superuser_url, HOSPITAL, origin_prefix="ledger.bench")
    bare, probes, rows = Bare(stood_on.postgres, stood_on.folder), dict[str, Probe](), list[Row]()
    await bare.fill()
    for each in found:
        try:
            await each.fill()
            probes[each.name] = await each.probe()
            rows += await _measured(bare, each)
        except DriverFailed as failed:
            # One that breaks off is said not to be measured; what was measured of the others stays.
            rows += _missing([(each.name, str(failed))])
    await our_service.fill_replayed(stood_on)
    there = [each for each in found if each.name in probes]
    return [*rows, *await _of_service(stood_on, bare, there)], probes


async def _measured(bare: Bare, system: System) -> list[Row]:
    rows: list[Row] = []
    for clients in IN_FLIGHT:
        pairs = await in_pairs(partial(bare.append, clients), partial(system.append, clients))
        rows.append(Row(f"{system.name}: append, {clients} in flight", "pgbench", "events/s", None, pairs))
    few = await in_pairs(bare.few, system.few)
    rows.append(Row(f"{system.name}: 20 events of one record, {READERS} clients", "pgbench", "reads/s", None, few))
    replay = await in_pairs(bare.replay, system.replay)
    return [*rows, Row(f"{system.name}: replay", _SELECT, "events/s", None, replay)]


async def _of_service(stood_on: Ground, bare: Bare, found: Sequence[System]) -> list[Row]:
    rows: list[Row] = []
    try:
        service = OurService(stood_on, LoadProgram())
    except GoMissing as missing:
        rows.append(not_measured(*_SERVICE, str(missing)))
    else:
        pairs = await in_pairs(partial(bare.append, 64), partial(service.append, 64))
        rows.append(Row(*_SERVICE, pairs))
    umadb = next((each for each in found if each.name == UMADB), None)
    if umadb is None:
        return [*rows, not_measured(*_TARGET, "UmaDB is not there")]
    replay = partial(our_service.replayed, stood_on.service)
    return [*rows, Row(*_TARGET, await in_pairs(umadb.replay, replay))]


def _missing(missing: Sequence[Missing]) -> list[Row]:
    return [not_measured(f"{name}: all rows", "pgbench", "events/s", None, why) for name, why in missing]


def main() -> int:
    """Runs the benchmark."""
    with ground(RECORDS) as stood_on, ExitStack() as stack:
        found, missing = systems(stood_on, stack)
        rows, probes = asyncio.run(_rows(stood_on, found))
        version = stood_on.postgres.major
    Console(width=_WIDTH).print(limits_table(probes))
    facts = {
        "postgresql": version,
        "events": EVENTS,
        "event_bytes": EVENT_BYTES,
        "seconds": SECONDS,
        "peers": peer_versions(),
    }
    told = {"probes": {name: vars(probe) for name, probe in probes.items()}, "does": NOTES}
    return report("peers", [*rows, *_missing(missing)], {**facts, **told})


if __name__ == "__main__":
    sys.exit(main())
