"""Builds the Go program once for each run, and runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
_CACHE = _HERE.parents[1] / ".ledger-cache"
_BUILD_SECONDS_MAX = 600
_RUN_SECONDS_MAX = 600


class GoMissing(Exception):
    """Go 1.26 or later is missing, and no client in Python could take its place."""


@dataclass(frozen=True)
class Run:
    """What to send, where and how."""

    protocol: str
    """`grpc`, `connect`, or `upload` for one client stream."""
    address: str
    """host:port."""
    rpc: str
    bodies: Path
    in_flight: int
    seconds: float = 0.0
    """When to begin no more calls; 0 = when every body was sent."""
    rate: float = 0.0
    """Calls a second that are begun; 0 = each caller as soon as it may."""
    obey: bool = False
    """Send what was refused again, after the time that RetryInfo names."""
    connections: int = 4
    """What gRPC calls are spread over."""


@dataclass(frozen=True)
class Told:
    """What came back. Percentiles in microseconds, of the calls that were answered OK."""

    ok: int
    seconds: float
    per_second: float
    ok_us: dict[str, float]
    refused: int
    """Times that a body was refused and sent again later."""
    refused_us: dict[str, float]
    statuses: dict[str, int]


class NotAllAnswered(Exception):
    """A call failed that had to succeed: the figures would be of another load."""


class LoadProgram:
    """The program, built."""

    def __init__(self) -> None:
        """Raises GoMissing."""
        go = shutil.which("go")
        if go is None:
            raise GoMissing(GoMissing.__doc__)
        self._program = _CACHE / "load" / "load"
        # -modcacherw: else `make clean` could not remove what Go fetched
        environment = os.environ | {
            "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0",
            "GOMODCACHE": str(_CACHE / "gomod"), "GOCACHE": str(_CACHE / "gobuild"),
        }  # fmt: skip
        subprocess.run(
            [go, "build", "-o", self._program, "."], cwd=_HERE, env=environment, check=True, timeout=_BUILD_SECONDS_MAX
        )

    def run(self, run: Run) -> Told:
        """Blocks until every caller is done."""
        flags = {
            "protocol": run.protocol, "address": run.address, "rpc": run.rpc, "bodies": run.bodies,
            "in-flight": run.in_flight, "seconds": run.seconds, "rate": run.rate, "obey": str(run.obey).lower(),
            "connections": run.connections,
        }  # fmt: skip
        done = subprocess.run(
            [self._program, *(f"-{name}={value}" for name, value in flags.items())],
            capture_output=True, text=True, check=False, timeout=_RUN_SECONDS_MAX,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stderr)
        return _told(json.loads(done.stdout))

    def run_well(self, run: Run) -> Told:
        """The same. Raises NotAllAnswered where anything but OK came back."""
        told = self.run(run)
        if set(told.statuses) != {"OK"}:
            raise NotAllAnswered(told.statuses)
        return told


def _told(report: dict[str, Any]) -> Told:
    return Told(
        ok=report["ok"],
        seconds=report["seconds"],
        per_second=report["per_second"],
        ok_us=report["ok_us"],
        refused=report["refused_and_sent_again"],
        refused_us=report["refused_us"],
        statuses=report["statuses"],
    )
