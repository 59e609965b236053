"""`python -m benchmarks [NAME ...]`: the short benchmarks, or those named; what the time did not reach is counted."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.verdict import exit_status_of_all

SECONDS_MAX = 25 * 60
_UNDECIDED = 2


@dataclass(frozen=True)
class Benchmark:
    """A package of this folder that runs by itself."""

    name: str
    seconds: int
    """What it takes on two quiet cores; on a busy machine, where pairs are repeated, up to six times that."""


SHORT = (
    Benchmark("append", 75),
    Benchmark("command", 150),
    Benchmark("reading", 130),
    Benchmark("overload", 90),
    Benchmark("bulk", 60),
    Benchmark("processes", 60),
    Benchmark("publish", 110),
    Benchmark("visible", 110),
    Benchmark("sealing", 230),
    Benchmark("deadlines", 150),
    Benchmark("verify", 60),
    Benchmark("integrate", 60),
    Benchmark("budget", 40),
    Benchmark("model", 160),
)


def main(names: Sequence[str]) -> int:
    """Exit status 1 where any target is missed, else 2 where any is undecided or was left out, else 0."""
    known = {each.name: each for each in SHORT}
    if unknown := [each for each in names if each not in known]:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return _UNDECIDED
    chosen = [known[each] for each in names] or list(SHORT)
    began = time.monotonic()
    statuses: dict[str, int] = {}
    for each in chosen:
        left = SECONDS_MAX - (time.monotonic() - began)
        if names or each.seconds <= left:
            print(f"== {each.name}", flush=True)
            statuses[each.name] = _run(each, None if names else left)
    left_out = [each.name for each in chosen if each.name not in statuses]
    print(f"{len(statuses)} of {len(chosen)} benchmarks in {time.monotonic() - began:.0f} s", end="; ")
    print(f"left out: {', '.join(left_out) or 'none'}")
    return exit_status_of_all([*statuses.values(), *(_UNDECIDED for _ in left_out)])


def _run(benchmark: Benchmark, seconds_max: float | None) -> int:
    """Its exit status. In a process of its own: what one leaves in memory is no part of the next one's figures."""
    try:
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{benchmark.name}"], timeout=seconds_max, check=False)
    except subprocess.TimeoutExpired:
        print(f"{benchmark.name}: not done in the time that was left", flush=True)
        return _UNDECIDED
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
