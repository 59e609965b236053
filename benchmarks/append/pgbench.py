"""The baseline: pgbench, prepared statements, one row per transaction."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psycopg

from ledger.embedded.postgres import EmbeddedPostgres
from ledger.views.statements import templates

_TPS = re.compile(r"^tps = ([\d.]+) \(without initial connection time\)", re.MULTILINE)
_LATENCY = re.compile(r"^latency average = ([\d.]+) ms", re.MULTILINE)
_THREADS_MAX = 2


@dataclass(frozen=True)
class Pgbench:
    """What one run came to."""

    per_second: float
    """Transactions."""
    mean_us: float
    """Of a transaction, microseconds; with one client its median is hardly another."""


def prepare(url: str, script: Path, envelope: bytes, body: bytes, leaf: bytes) -> None:
    """Makes the table, and the script that inserts one row of our width."""
    sql = templates("benchmarks.append", "baseline")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql["make"].encode())
    row = {"{envelope}": envelope.hex(), "{body}": body.hex(), "{leaf}": leaf.hex()}
    text = sql["transaction"]
    for place, value in row.items():
        text = text.replace(place, value)
    script.write_text(text + "\n")


def rate(server: EmbeddedPostgres, url: str, script: Path, in_flight: int, seconds: int) -> Pgbench:
    """Runs it with this many clients."""
    threads = min(in_flight, _THREADS_MAX)
    numbers = ["-c", str(in_flight), "-j", str(threads), "-T", str(seconds)]
    done = subprocess.run(
        [str(server.programs / "pgbench"), "-n", "-M", "prepared", *numbers, "-f", str(script), url],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return Pgbench(_figure(_TPS, done.stdout), _figure(_LATENCY, done.stdout) * 1000)


def _figure(wanted: re.Pattern[str], printed: str) -> float:
    found = wanted.search(printed)
    if found is None:
        raise RuntimeError(printed)
    return float(found[1])
