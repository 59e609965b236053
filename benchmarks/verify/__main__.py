"""`python -m benchmarks.verify`: verify rate against a plain loop of hashlib; size and time of a proof at 10^7 leaves.

The rows are synthetic and in memory: envelopes as they are stored, bodies of 700 bytes. The loop calls hashlib once for
each stored item of a row (envelope, body, leaf hash) and does nothing else; beside it stands a harder measure, which
leaves out the leaf hash. The check hashes as often: envelope, body, and one node of the tree for each leaf hash. Time
is the CPU time of each process: neighbours on the machine do not count; with several processes it is that of the
slowest range and of the joining after it. Then the same rows from PostgreSQL, by the clock: reading them alone, and the
check with its reading, a figure of its own without a target. Exit status 0 where every target is reached, 1 where one
is missed.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

from benchmarks.verify.stored import stored_turns
from benchmarks.verify.synthetic import EVENTS, RECORDS, event_of_bundle, rows_of_range, stored_bundle, synthetic_proof
from benchmarks.verify.timed_range import held, timed_range
from ledger.trust.leaf import leaf_hash
from ledger.trust.range_walk import RangeFound, RangeJoin, RangeWalk
from ledger.trust.root_watch import RootWatch
from ledger.trust.verify import Row

RATIO_TARGET = 0.3
PROOF_BYTES_TARGET = 4000
LEAVES = 10_000_000
TURNS = 5
LOOKS = 200
RESULT = Path(__file__).parents[1] / "results" / "verify.json"


@dataclass(frozen=True)
class Turn:
    """One measurement, events a second."""

    plain: float
    plain_without_leaf_hash: float
    one_process: float
    all_processes: float


def main() -> int:
    """Measures, prints, writes the result."""
    rows = rows_of_range(0, EVENTS)
    processes = os.cpu_count() or 1
    turns = [Turn(_plain(rows), _bare(rows), _one(rows), _all(processes)) for _ in range(TURNS)]
    one = statistics.median(turn.one_process / turn.plain for turn in turns)
    bare = statistics.median(turn.one_process / turn.plain_without_leaf_hash for turn in turns)
    every = statistics.median(turn.all_processes / turn.plain for turn in turns)
    proof = synthetic_proof(LEAVES)
    found = {
        "events": EVENTS,
        "records": RECORDS,
        "processes": processes,
        "turns": [asdict(turn) for turn in turns],
        "ratio_one_process": round(one, 3),
        "ratio_one_process_without_leaf_hash": round(bare, 3),
        "ratio_all_processes": round(every, 3),
        "ratio_target": RATIO_TARGET,
        "stored": [asdict(turn) for turn in stored_turns(rows, TURNS, processes)],
        "proof_leaves": LEAVES,
        "proof_bytes": len(proof.data),
        "proof_bytes_target": PROOF_BYTES_TARGET,
        "proof_check_ms": round(_milliseconds(proof.check), 3),
        "bundle_of_a_proof_ms": round(_milliseconds(partial(event_of_bundle, stored_bundle())), 3),
    }
    RESULT.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))
    return 0 if min(one, every) >= RATIO_TARGET and len(proof.data) <= PROOF_BYTES_TARGET else 1


def _milliseconds(once: Callable[[], object]) -> float:
    """CPU time of a call, the median of many."""
    spent: list[float] = []
    for _ in range(LOOKS):
        began = time.process_time()
        once()
        spent.append(time.process_time() - began)
    return statistics.median(spent) * 1000


def _plain(rows: list[Row]) -> float:
    began = time.process_time()
    for row in rows:
        sha256(row.envelope).digest()
        sha256(row.body).digest()
        sha256(row.copies.leaf_hash if row.copies else b"").digest()
    return len(rows) / (time.process_time() - began)


def _bare(rows: list[Row]) -> float:
    began = time.process_time()
    for row in rows:
        sha256(row.envelope).digest()
        sha256(row.body).digest()
    return len(rows) / (time.process_time() - began)


def _one(rows: list[Row]) -> float:
    """The whole check in this process: envelopes, columns, chains, bodies, root."""
    began = time.process_time()
    walk = RangeWalk(0)
    held(walk.take_all(rows))
    _join([walk.found()])
    return len(rows) / (time.process_time() - began)


def _all(processes: int) -> float:
    """The same in ranges side by side; each process makes its rows before the clock runs."""
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        step = -(-EVENTS // processes)
        ranges = [(begin, min(begin + step, EVENTS)) for begin in range(0, EVENTS, step)]
        seconds_and_found = list(pool.map(timed_range, ranges))
    began = time.process_time()
    _join([found for _, found in seconds_and_found])
    joined = time.process_time() - began
    return EVENTS / (max(seconds for seconds, _ in seconds_and_found) + joined)


def _join(ranges: list[RangeFound]) -> None:
    join = RangeJoin(RootWatch())
    for each in ranges:
        held(join.take(each))
    if join.summary().events != EVENTS or not join.watch.root():
        raise RuntimeError("not every event was verified")


if __name__ == "__main__":
    if leaf_hash(b"") != sha256(b"\x00").digest():
        raise RuntimeError("another leaf hash")
    sys.exit(main())
