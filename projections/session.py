"""One view of one hospital while there is something to do: lease, feed, batches; closed again when idle."""

import asyncio
import logging
import time
from dataclasses import dataclass

from ledger.views.view import View
from projections.connections import Pool
from projections.feed import AcquireLease, Feed, HeldLease, OpenFeed
from projections.generation import ensure_live, prepare
from projections.projector import BATCH_MAX, Projector

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How the runner waits; all in seconds."""

    poll_s: float = 0.5
    renew_s: float = 1.5
    idle_s: float = 60.0
    sweep_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Tools:
    """What every session of the runner uses."""

    pool: Pool
    open_feed: OpenFeed
    acquire: AcquireLease
    pace: Pace
    stopped_max: int


def lease_role(view: View) -> str:
    """The role under which a view of a hospital is held by one process."""
    return f"view:{view.name}"


async def project_while_busy(tools: Tools, hospital: str, partitions: int, view: View, stop: asyncio.Event) -> None:
    """Runs the view until it has been idle for a while, the lease is lost, or `stop` is set.

    Returns at once where another process holds the lease. Fenced, ViewStopped and the stream's faults are raised.
    """
    lease = await tools.acquire(hospital, lease_role(view))
    if lease is None:
        return
    try:
        projector = await _prepared(tools, hospital, partitions, view, lease.epoch)
        feed = await tools.open_feed(hospital, partitions, projector.checkpoints)
        try:
            await _follow(tools, projector, feed, lease, stop)
        finally:
            await feed.close()
    finally:
        await lease.release()


async def _prepared(tools: Tools, hospital: str, partitions: int, view: View, epoch: int) -> Projector:
    async with tools.pool.connection() as connection:
        await prepare(connection, hospital)
        live = await ensure_live(connection, hospital, view, partitions)
        projector = Projector(hospital, view, live.number, epoch, tools.stopped_max)
        await projector.take_over(connection)
    return projector


async def _follow(tools: Tools, projector: Projector, feed: Feed, lease: HeldLease, stop: asyncio.Event) -> None:
    renewed = busy = time.monotonic()
    while not stop.is_set() and time.monotonic() - busy < tools.pace.idle_s:
        batch = await feed.poll(tools.pace.poll_s, BATCH_MAX)
        if batch:
            async with tools.pool.connection() as connection:
                await projector.handle(connection, batch)
            busy = time.monotonic()
        if time.monotonic() - renewed > tools.pace.renew_s:
            if not await lease.renew():
                _log.warning("lease of view lost", extra={"view": projector.view.name})
                return
            renewed = time.monotonic()
