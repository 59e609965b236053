"""What a figure was measured on, without saying where: no host name, no path."""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import psycopg

_PACKAGES = (
    "connectrpc", "cryptography", "eventsourcing", "grpcio", "kafka-python", "protobuf", "psycopg", "uvicorn",
)  # fmt: skip
_FLUSHES = 50
_BLOCK_BYTES = 8192


def machine() -> dict[str, object]:
    """Processor, cores, memory, the disk's flush, and what others were doing just now."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "fdatasync_us": round(_flush_seconds() * 1e6),
        "load_average": [round(each, 2) for each in os.getloadavg()],
        "system": platform.system(),
    }


def versions() -> dict[str, str]:
    """What the figures depend on; above all which psycopg: the one in pure Python reads six times slower."""
    packages = {each: version(each) for each in _PACKAGES}
    return {"python": platform.python_version(), "psycopg.pq.__impl__": psycopg.pq.__impl__, **packages}


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _flush_seconds() -> float:
    """Median of a block that is overwritten and flushed, where the benchmarks' servers have their files."""
    spent: list[float] = []
    with tempfile.TemporaryFile() as file:
        for _ in range(_FLUSHES):
            file.seek(0)
            file.write(os.urandom(_BLOCK_BYTES))
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            spent.append(time.perf_counter() - began)
    return statistics.median(spent)
