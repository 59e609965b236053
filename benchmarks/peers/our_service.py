"""Ours as it is used: whole commands over gRPC, decided, sealed and durable; everything replayed over gRPC."""

from __future__ import annotations

import asyncio

from benchmarks.command.sides import PER_SECOND_MAX, RPC
from benchmarks.ground import HOSPITAL, Ground
from benchmarks.growth.filling import fill, lived
from benchmarks.integrated import integrate
from benchmarks.load.bodies import entries, write_bodies
from benchmarks.load.program import LoadProgram, Run
from benchmarks.pairs import Measured
from benchmarks.peers.driver import DriverFailed
from benchmarks.peers.job import EVENTS, RECORD_EVENTS, SECONDS
from benchmarks.process_ticks import cpu_seconds
from benchmarks.replayed import in_bundles
from benchmarks.served import Server
from ledger.application.ledger import Ledger
from ledger.cli.bodies import bodies_with_keys
from ledger.config import load
from ledger.store.hospitals import add_hospital

NAME = "ledger, whole command over gRPC"
_REPLAYED = "replayed"
"""The hospital that is read: nothing is written to it meanwhile."""
_PREFIX = "ledger.bench"
_LIFE_BEGINS = 3
"""Events of a life before its first entry."""


class OurService:
    """`ledger serve`."""

    def __init__(self, stood_on: Ground, program: LoadProgram) -> None:
        """The load comes from the Go program."""
        self._on = stood_on
        self._program = program

    async def append(self, in_flight: int) -> Measured:
        """Commands a second on records that exist; CPU is the server's."""
        bodies = self._on.folder / "bodies"
        write_bodies(bodies, entries(HOSPITAL, self._on.records, int(PER_SECOND_MAX * SECONDS)))
        before = cpu_seconds(self._on.service.pid)
        run = Run("grpc", self._on.service.grpc, RPC, bodies, in_flight, SECONDS)
        told = await asyncio.to_thread(self._program.run_well, run)
        return Measured(told.per_second, (cpu_seconds(self._on.service.pid) - before) * 1e6 / told.ok)


async def fill_replayed(stood_on: Ground) -> None:
    """As many events as the other systems replay, sealed: the service serves nothing else."""
    settings, url = load(stood_on.settings), stood_on.postgres.superuser_url
    await add_hospital(url, _REPLAYED, origin_prefix=_PREFIX)
    async with bodies_with_keys(settings) as bodies:
        ledger = await Ledger.open(settings, bodies.sealer, bodies.opener)
        try:
            life = await lived(ledger, bodies, HOSPITAL, stood_on.service.grpc, RECORD_EVENTS - _LIFE_BEGINS)
        finally:
            await ledger.close()
        await fill(bodies, url, _REPLAYED, f"{_PREFIX}/{_REPLAYED}/1", life, EVENTS)
    await asyncio.to_thread(integrate, stood_on, _REPLAYED, EVENTS)


async def replayed(server: Server) -> Measured:
    """Events a second in raw bundles, every envelope decoded."""
    measured = await in_bundles(server, _REPLAYED)()
    if measured.beside["events"] < EVENTS:
        raise DriverFailed(f"{NAME}: a replay of {measured.beside['events']:.0f} of {EVENTS} events")
    return measured
