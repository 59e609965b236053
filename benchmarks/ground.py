"""What most benchmarks stand on: PostgreSQL, `ledger serve` as a process, one hospital with records under care."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.hospital import open_records
from benchmarks.served import Server, bench_folder, service_settings, serving
from ledger.embedded.postgres import EmbeddedPostgres
from ledger.store.hospitals import add_hospital
from ledger.store.migrate import migrate

HOSPITAL = "north"


@dataclass(frozen=True)
class Ground:
    """Everything that is there during a run."""

    folder: Path
    postgres: EmbeddedPostgres
    service: Server
    settings: dict[str, str]
    """Of the service, as environment variables."""
    records: Sequence[str]


@contextmanager
def ground(records: int) -> Generator[Ground]:
    """The service with so many records, for as long as the block runs."""
    with bench_folder() as folder, EmbeddedPostgres(folder / "postgres") as postgres:
        asyncio.run(_prepared(postgres.superuser_url))
        settings = service_settings(folder, postgres)
        with serving(settings, folder) as service:
            opened = asyncio.run(open_records(service.grpc, HOSPITAL, records))
            yield Ground(folder, postgres, service, settings, opened)


async def _prepared(url: str) -> None:
    await migrate(url)
    await add_hospital(url, HOSPITAL, origin_prefix="ledger.bench")
