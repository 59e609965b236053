"""The baseline: pgbench, prepared statements, one row per transaction."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import psycopg

from ledger.embedded.postgres import EmbeddedPostgres
from ledger.views.statements import templates

_TPS = re.compile(r"^tps = ([\d.]+) \(without initial connection time\)", re.MULTILINE)
_THREADS_MAX = 2


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


def rate(server: EmbeddedPostgres, url: str, script: Path, in_flight: int, seconds: int) -> float:
    """Transactions per second with this many clients."""
    threads = min(in_flight, _THREADS_MAX)
    arguments = [
        "-n",
        "-M",
        "prepared",
        "-c",
        str(in_flight),
        "-j",
        str(threads),
        "-T",
        str(seconds),
        "-f",
        str(script),
    ]
    done = subprocess.run(
        [str(server.programs / "pgbench"), *arguments, url], capture_output=True, text=True, check=True, timeout=120
    )
    found = _TPS.search(done.stdout)
    if found is None:
        raise RuntimeError(done.stdout)
    return float(found[1])
