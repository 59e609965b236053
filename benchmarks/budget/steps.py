"""The steps of a command, each by the functions that do it and nothing else."""

from __future__ import annotations

import pstats
from collections.abc import Mapping
from typing import Any, cast

Function = tuple[str, str]
"""End of the file's name, and the function."""

CALL: Function = ("server/calls.py", "call")
STEPS: Mapping[str, tuple[Function, ...]] = {
    "digest of the request": (("application/request_digest.py", "content_digest"),),
    "decode": (("application/command_table.py", "decode_request"),),
    "load and facts": (
        ("application/fact_gathering.py", "facts"),
        ("application/fact_gathering.py", "claimed"),
        ("application/fact_gathering.py", "opened"),
        ("application/hospital_ledger.py", "load"),
    ),
    "decide": (("domain/decide.py", "decide"),),
    "encode": (("application/body_codec.py", "encode_body"),),
    "seal": (("keys/sealers.py", "seal"),),
    "append": (("store/committer.py", "_write"), ("store/hint.py", "_send")),
    "remember": (("application/command_path.py", "_remember_state"),),
    "answer": (("server/commands.py", "response_of"),),
}
REST, EDGE = "the rest of the command path", "edge: grpc.aio, event loop, limits, metrics"


def shares(stats: pstats.Stats) -> dict[str, float]:
    """Of all that the thread did, what each step took; in all 1."""
    found = cast("dict[tuple[str, int, str], tuple[int, int, float, float, Any]]", cast("Any", stats).stats)
    everything = sum(own for _, _, own, _, _ in found.values())
    taken = {step: sum(_cumulative(found, each) for each in functions) for step, functions in STEPS.items()}
    # The committer's task is no part of the call that waits for it.
    in_call = sum(seconds for step, seconds in taken.items() if step != "append")
    rest = _cumulative(found, CALL) - in_call
    edge = everything - taken["append"] - _cumulative(found, CALL)
    return {step: seconds / everything for step, seconds in (taken | {REST: rest, EDGE: edge}).items()}


def _cumulative(found: Mapping[tuple[str, int, str], tuple[int, int, float, float, Any]], wanted: Function) -> float:
    end, name = wanted
    return sum(each[3] for (file, _, function), each in found.items() if function == name and file.endswith(end))
