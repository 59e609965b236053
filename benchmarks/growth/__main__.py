"""`python -m benchmarks.growth` (in `make bench-growth`): a long ledger beside a short one in one service; table, JSON.

`LEDGER_BENCH_EVENTS` (10^7) and `LEDGER_BENCH_EVENTS_SMALL` (10^5) events, 20 of each life; how they are made
`benchmarks.growth.filling` says. Exit status 0 where every target is reached, 1 where one is missed, else 2.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg

from benchmarks.growth.filled import Filled, filled, role
from benchmarks.growth.filling import DEPARTMENT_RECORDS
from benchmarks.growth.sides import VERIFIED_EVENTS, Sides
from benchmarks.growth.view_progress import at_head
from benchmarks.load.program import GoMissing, LoadProgram
from benchmarks.pairs import Measure, Row, in_pairs, not_measured
from benchmarks.report import report
from benchmarks.served import bench_folder
from benchmarks.verdict import Target
from ledger.cli.bodies import bodies_with_keys
from ledger.config import load
from ledger.embedded.kafka import EmbeddedKafka
from ledger.embedded.kafka_jars import default_cache, provide_jars

SMALL, LARGE = "small", "large"
EVENTS = {
    SMALL: int(os.environ.get("LEDGER_BENCH_EVENTS_SMALL", "100000")),
    LARGE: int(os.environ.get("LEDGER_BENCH_EVENTS", "10000000")),
}
LIFE_EVENTS = 20
SECONDS = float(os.environ.get("LEDGER_TEST_SECONDS", "3"))
VIEW = "department_board"
STREAM = os.environ.get("LEDGER_STREAM", "kafka")
BYTES_PER_EVENT_MAX = 4000
"""Of disk, for events, logs of changes, views, keys and the topic: what is asked for before anything is filled."""
_AT_LEAST, _AT_MOST = Target(0.9), Target(1.1, at_most=True)


def _names() -> list[tuple[str, str, str, Target]]:
    small = f"at {EVENTS[SMALL]:,} events"
    return [
        ("append: whole command, 64 in flight", small, "commands/s", _AT_LEAST),
        ("load of a record of 20 events, cold", small, "ms", _AT_MOST),
        ("board query, p50", small, "ms", _AT_MOST),
        (f"acknowledged, published ({STREAM}) and visible, p50", small, "ms", _AT_MOST),
        ("a publisher's batch of 500", small, "ms", _AT_MOST),
        (f"verify the last {VERIFIED_EVENTS:,} events", small, "s", _AT_MOST),
        ("bytes per event", small, "bytes", _AT_MOST),
    ]


def _measures(sides: Sides) -> Sequence[Measure]:
    return (
        sides.append,
        sides.load,
        sides.board,
        sides.visible,
        sides.publisher_batch,
        sides.verified_since,
        sides.bytes_per_event,
    )


async def _rows(on: Filled, program: LoadProgram) -> list[Row]:
    async with bodies_with_keys(load(on.settings)) as bodies:
        heads = {each: await bodies.events.head(each) for each in EVENTS}
    for hospital, head in heads.items():
        await at_head(on.postgres.superuser_url, hospital, VIEW, head)
    small, large = (_measures(_sides(on, program, each)) for each in (SMALL, LARGE))
    rows: list[Row] = []
    for name, baseline, product in zip(_names(), small, large, strict=True):
        await baseline()  # warm
        await product()
        # A size is the same whenever it is asked.
        turns = partial(in_pairs, turns=1) if name[2] == "bytes" else in_pairs
        rows.append(Row(*name, await turns(baseline, product)))
    return rows


def _sides(on: Filled, program: LoadProgram, hospital: str) -> Sides:
    departments = max(1, len(on.records[hospital]) // DEPARTMENT_RECORDS)
    return Sides(on, program, hospital, departments, SECONDS)


def _why_not(folder: Path) -> str:
    needed, free = BYTES_PER_EVENT_MAX * sum(EVENTS.values()), shutil.disk_usage(folder).free
    return f"needs {needed / 1e9:.0f} GB of disk, {free / 1e9:.0f} GB are free" if needed > free else ""


def main() -> int:
    """Runs the benchmark."""
    try:
        program = LoadProgram()
    except GoMissing as missing:
        return report("growth", [not_measured(*name, str(missing)) for name in _names()], {})
    with bench_folder() as folder:
        if why := _why_not(folder):
            return report("growth", [not_measured(*name, why) for name in _names()], {})
        with _stream(folder) as settings, filled(folder, EVENTS, LIFE_EVENTS, settings) as on:
            with _roles(on):
                rows = asyncio.run(_rows(on, program))
            facts = _facts(on)
    print(f"made by sealing copies of one life and the store's own append: {facts}")
    return report("growth", rows, facts)


@contextmanager
def _stream(folder: Path) -> Generator[dict[str, str]]:
    """The settings of the published stream, and Kafka while it is one."""
    if STREAM == "postgres":
        yield {"LEDGER_STREAM": STREAM}
        return
    cache = default_cache()
    provide_jars(cache)
    with EmbeddedKafka(folder / "kafka", cache=cache) as kafka:
        yield {"LEDGER_STREAM": STREAM, "LEDGER_KAFKA_BOOTSTRAP": kafka.bootstrap}


@contextmanager
def _roles(on: Filled) -> Generator[None]:
    """Publisher and projector, each as a process."""
    with (
        role(["publish"], on.folder, on.settings, "publish"),
        role(["project", "run", "--view", VIEW], on.folder, on.settings, "project"),
    ):
        yield


def _facts(on: Filled) -> dict[str, object]:
    with psycopg.connect(on.postgres.superuser_url, autocommit=True) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return {
        "postgresql": on.postgres.major,
        "stream": STREAM,
        "events": EVENTS,
        "fill_seconds": dict(on.fill_seconds),
        "database_gb": round((row[0] if row else 0) / 1e9, 2),
    }


if __name__ == "__main__":
    sys.exit(main())
