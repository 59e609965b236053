"""`python -m benchmarks.append`: turns of pgbench and the product at 1, 32 and 64 in flight; table and JSON."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.append import pgbench, product
from benchmarks.pairs import Measured, Row, in_pairs
from benchmarks.report import report
from benchmarks.verdict import Target
from ledger.embedded.postgres import EmbeddedPostgres
from ledger.store.connections import WRITER_OPTIONS, ConnectionPool
from ledger.store.hospitals import add_hospital
from ledger.store.migrate import migrate

TARGETS = {1: 0.4, 32: 1.0, 64: 1.5}
SECONDS = 2


async def _measure(server: EmbeddedPostgres, folder: Path) -> list[Row]:
    url = server.superuser_url
    await migrate(url)
    await add_hospital(url, "north", origin_prefix="ledger.bench")
    sample = product.new_event(b"\x5a" * product.BODY_BYTES)
    script = folder / "baseline.pgbench"
    pgbench.prepare(url, script, sample.envelope, sample.body, sample.leaf_hash)
    pool = ConnectionPool(url, options=WRITER_OPTIONS)
    try:
        await product.rate(pool, 64, 1)  # warm
        return [await _row(server, pool, script, in_flight) for in_flight in TARGETS]
    finally:
        await pool.close()


async def _row(server: EmbeddedPostgres, pool: ConnectionPool, script: Path, in_flight: int) -> Row:
    pairs = await in_pairs(partial(_baseline, server, script, in_flight), partial(_product, pool, in_flight))
    return Row(f"append, {in_flight} in flight", "pgbench", "commands/s", Target(TARGETS[in_flight]), pairs)


async def _baseline(server: EmbeddedPostgres, script: Path, in_flight: int) -> Measured:
    arguments = (server, server.superuser_url, script, in_flight, SECONDS)
    return Measured((await asyncio.to_thread(pgbench.rate, *arguments)).per_second)


async def _product(pool: ConnectionPool, in_flight: int) -> Measured:
    measured = await product.rate(pool, in_flight, SECONDS)
    return Measured(measured.per_second, measured.client_cpu_us, {"commands in a group": measured.group_size})


def main() -> int:
    """Runs the benchmark."""
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as made:
        folder = Path(made)
        folder.chmod(0o711)
        with EmbeddedPostgres(folder / "postgres") as server:
            rows = asyncio.run(_measure(server, folder))
            version = server.major
    return report("append", rows, {"postgresql": version, "seconds": SECONDS})


if __name__ == "__main__":
    sys.exit(main())
