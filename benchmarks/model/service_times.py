"""Service times for the model, from two light loads of the running service: one caller, and a few.

Of two loads whose groups differ in size follows what a group costs and what a command costs. What one caller waits
beyond all CPU is the disk's part, and that of waking processes up.
"""

from __future__ import annotations

import resource
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from benchmarks.command.sides import Sides
from benchmarks.ground import HOSPITAL
from benchmarks.model.simulation import Costs
from ledger.views.statements import templates

CALLERS = (1, 16)
_POSTGRES_CPU, _P50 = "PostgreSQL CPU µs", "p50 µs"


@dataclass(frozen=True)
class Observed:
    """One load as it ran. CPU in microseconds for each command."""

    in_flight: int
    per_second: float
    p50_us: float
    server_cpu: float
    postgres_cpu: float
    caller_cpu: float
    group_size: float


async def observe(sides: Sides, in_flight: int) -> Observed:
    """One turn over gRPC."""
    before, caller_before = _head(sides), _children_cpu()
    measured = await sides.grpc(in_flight)
    commands, groups = _since(sides, before)
    return Observed(
        in_flight,
        measured.value,
        measured.beside[_P50],
        measured.cpu_us,
        measured.beside[_POSTGRES_CPU],
        (_children_cpu() - caller_before) * 1e6 / commands,
        commands / groups,
    )


def costs_of(observed: Sequence[Observed]) -> Costs:
    """The service times behind two loads."""
    alone, few = observed
    command, flush = _split(alone.group_size, alone.server_cpu, few.group_size, few.server_cpu)
    stored, commit = _split(alone.group_size, alone.postgres_cpu, few.group_size, few.postgres_cpu)
    computed = few.caller_cpu + alone.server_cpu + alone.postgres_cpu
    return Costs(few.caller_cpu, command, flush, stored, commit, max(0.0, alone.p50_us - computed))


def _split(size: float, cost: float, other_size: float, other_cost: float) -> tuple[float, float]:
    """Each command's cost and each group's, from cost = command + group / size twice; neither below zero."""
    group = (cost - other_cost) / (1 / size - 1 / other_size)
    group = min(max(0.0, group), cost * size)
    return cost - group / size, group


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _head(sides: Sides) -> int:
    return _asked(sides, "head")[0]


def _since(sides: Sides, position: int) -> tuple[int, int]:
    commands, groups = _asked(sides, "since", position)
    return commands, groups


def _asked(sides: Sides, name: str, *parameters: int) -> tuple[int, ...]:
    statement = templates("benchmarks.model", "groups")[name].replace("{schema}", f'"h_{HOSPITAL}"')
    with psycopg.connect(sides.ground.postgres.superuser_url) as connection:
        return connection.execute(statement.encode(), parameters).fetchall()[0]
