"""A service whose hospitals are filled, for as long as a block; and its other roles, each as a process."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from benchmarks.growth.filling import fill, lived
from benchmarks.served import READY_SECONDS_MAX, STOP_SECONDS_MAX, NotReady, Server, service_settings, serving
from ledger.application.ledger import Ledger
from ledger.cli.bodies import bodies_with_keys
from ledger.config import load
from ledger.embedded.postgres import EmbeddedPostgres
from ledger.store.hospitals import add_hospital
from ledger.store.migrate import migrate

ORIGIN_PREFIX = "ledger.bench"
EVENTS_BESIDE_ENTRIES = 3
"""Of a life: patient, registration, start of care."""
_PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Filled:
    """Everything that is there during a run."""

    folder: Path
    postgres: EmbeddedPostgres
    service: Server
    settings: dict[str, str]
    """Of every role; the service's addresses are those that it really has."""
    records: Mapping[str, list[UUID]]
    """The filled records of each hospital."""
    fill_seconds: Mapping[str, float] = field(default_factory=dict[str, float])


@contextmanager
def filled(
    folder: Path, events: Mapping[str, int], life_events: int, beside: Mapping[str, str] | None = None
) -> Generator[Filled]:
    """So many events in each hospital, in lives of so many events each. `beside`: further settings of every role."""
    with EmbeddedPostgres(folder / "postgres") as postgres:
        asyncio.run(prepared(postgres.superuser_url, list(events)))
        settings = service_settings(folder, postgres) | dict(beside or {})
        with serving(settings, folder) as service:
            settings |= {"LEDGER_GRPC_LISTEN": service.grpc, "LEDGER_HTTP_LISTEN": service.http}
            records, seconds = asyncio.run(_all_filled(settings, service, events, life_events))
            yield Filled(folder, postgres, service, settings, records, seconds)


async def prepared(url: str, hospitals: list[str]) -> None:
    """The tables, and these hospitals in them."""
    await migrate(url)
    for each in hospitals:
        await add_hospital(url, each, origin_prefix=ORIGIN_PREFIX)


async def _all_filled(
    settings: dict[str, str], service: Server, events: Mapping[str, int], life_events: int
) -> tuple[dict[str, list[UUID]], dict[str, float]]:
    loaded = load(settings)
    url, entries = loaded.postgres_append_url, life_events - EVENTS_BESIDE_ENTRIES
    records: dict[str, list[UUID]] = {}
    seconds: dict[str, float] = {}
    async with bodies_with_keys(loaded) as bodies:
        ledger = await Ledger.open(loaded, bodies.sealer, bodies.opener)
        try:
            for hospital, count in events.items():
                life = await lived(ledger, bodies, hospital, service.grpc, entries)
                began, origin = time.monotonic(), f"{ORIGIN_PREFIX}/{hospital}/1"
                records[hospital] = await fill(bodies, url, hospital, origin, life, count)
                seconds[hospital] = round(time.monotonic() - began, 1)
        finally:
            await ledger.close()
    return records, seconds


@contextmanager
def role(program: list[str], folder: Path, settings: dict[str, str], name: str) -> Generator[int]:
    """Another role of the service as a process; its pid, once it says that it is ready. Raises NotReady."""
    ready = folder / f"{name}.ready.json"
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("LEDGER_")}
    command = [sys.executable, "-m", "ledger.cli.main", *program, "--ready-file", str(ready)]
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=_PROJECT, env={**inherited, **settings}, stdout=log, stderr=log)
    try:
        end = time.monotonic() + READY_SECONDS_MAX
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > end:
                raise NotReady((folder / f"{name}.log").read_text())
            time.sleep(0.02)
        yield process.pid
    finally:
        process.terminate()
        process.wait(STOP_SECONDS_MAX)
