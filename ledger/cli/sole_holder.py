"""Holds a hospital alone while its log is given up: neither integrator nor publisher may work meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ledger.cli.giving_up import NotSucceeded
from ledger.config import Settings
from ledger.integrator.hospital_integrator import ROLE as INTEGRATING
from ledger.integrator.ledger_rows import rows_pool
from ledger.lease import Lease, Leases
from ledger.publisher.hospital_publisher import ROLE as PUBLISHING

_LEASE_SECONDS_MAX = 15.0
_LEASE_LOOK_SECONDS = 0.5
_RENEW_SECONDS = 1.5


@asynccontextmanager
async def nobody_else(settings: Settings, hospital: str) -> AsyncGenerator[asyncio.Task[None]]:
    """Holds what integrators and publishers hold while they work; the task ends where it is lost."""
    async with rows_pool(settings.postgres_stream_url) as pool:
        leases = Leases(pool.connection)
        async with _held(leases, hospital, INTEGRATING) as one, _held(leases, hospital, PUBLISHING) as other:
            keeping = asyncio.create_task(_keep((one, other)), name=f"leases {hospital}")
            try:
                yield keeping
            finally:
                keeping.cancel()
                await asyncio.gather(keeping, return_exceptions=True)


@asynccontextmanager
async def _held(leases: Leases, hospital: str, role: str) -> AsyncGenerator[Lease]:
    lease = await _lease(leases, hospital, role)
    try:
        yield lease
    finally:
        await lease.release()


async def _lease(leases: Leases, hospital: str, role: str) -> Lease:
    for _ in range(round(_LEASE_SECONDS_MAX / _LEASE_LOOK_SECONDS)):
        if lease := await leases.acquire(hospital, role):
            return lease
        await asyncio.sleep(_LEASE_LOOK_SECONDS)
    raise NotSucceeded(f"another process holds the lease `{role}`; stop it first")


async def _keep(held: tuple[Lease, Lease]) -> None:
    while all([await lease.renew() for lease in held]):  # noqa: ASYNC110  # a term is renewed by time
        await asyncio.sleep(_RENEW_SECONDS)
