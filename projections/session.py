"""One view of one hospital while there is something to do: lease, feed, batches; closed again when idle."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from ledger.lease import Keeping, kept
from ledger.views.view import View
from projections.checkpoint import Fenced
from projections.connections import Connection, Pool
from projections.faults import forget_fault
from projections.feed import AcquireLease, Feed, OpenFeed
from projections.generation import discard, ensure_live, generations, is_abandoned, prepare
from projections.heads import HospitalHead
from projections.projector import BATCH_MAX, Projector


@dataclass(frozen=True, slots=True)
class Pace:
    """How the runner waits; all in seconds."""

    poll_s: float = 0.5
    renew_s: float = 1.5
    idle_s: float = 60.0
    stall_s: float = 60.0
    """How long a rebuild waits for events that the running view has handled already."""
    sweep_s: float = 1.0
    resume_s: float = 600.0
    """How long what a killed rebuild has built waits for the next one, before it is dropped."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What every session of the runner uses."""

    pool: Pool
    open_feed: OpenFeed
    acquire: AcquireLease
    pace: Pace
    stopped_max: int
    stream_partitions: Callable[[int], int]
    """Partitions of a hospital on the stream in use, from those of its topic."""


def lease_role(view: View) -> str:
    """The role under which a view of a hospital is held by one process."""
    return f"view:{view.name}"


def rebuild_role(view: View) -> str:
    """The role under which a view of a hospital is rebuilt by one process."""
    return f"rebuild:{view.name}"


async def project_while_busy(
    tools: Tools, hospital: HospitalHead, view: View, stop: asyncio.Event, patience: Callable[[], float]
) -> bool:
    """Runs the view until it has been idle for `patience()` seconds or `stop` is set.

    False at once where another process holds the lease. Fenced, ViewStopped and the stream's faults are raised.
    """
    lease = await tools.acquire(hospital.id, lease_role(view))
    if lease is None:
        return False
    try:
        async with kept(lease, "projector", hospital.id, tools.pace.renew_s) as keeping:
            projector = await _prepared(tools, hospital, view, lease.epoch)
            if projector.events < hospital.position:
                feed = await tools.open_feed(hospital.id, len(projector.checkpoints), projector.checkpoints)
                try:
                    await _follow(tools, hospital, projector, feed, keeping, stop, patience)
                finally:
                    await feed.close()
    finally:
        await lease.release()
    return True


async def _prepared(tools: Tools, hospital: HospitalHead, view: View, epoch: int) -> Projector:
    async with tools.pool.connection() as connection:
        await prepare(connection, hospital.id)
        await _clear_killed_rebuild(tools, connection, hospital, view)
        live = await ensure_live(connection, hospital.id, view, tools.stream_partitions(hospital.partitions))
        projector = Projector(hospital.id, view, live.number, epoch, tools.stopped_max)
        await projector.take_over(connection)
    return projector


async def _clear_killed_rebuild(tools: Tools, connection: Connection, hospital: HospitalHead, view: View) -> None:
    """What a killed rebuild left behind and nobody has gone on with: it holds what no erasure of the view reaches."""
    role = rebuild_role(view)
    if not await is_abandoned(connection, hospital.id, view, role, tools.pace.resume_s):
        return
    lease = await tools.acquire(hospital.id, role)
    if lease is None:
        return
    try:
        for each in await generations(connection, hospital.id, view):
            if each.state == "building":
                await discard(connection, hospital.id, view, each.number)
    finally:
        await lease.release()


async def _follow(
    tools: Tools,
    hospital: HospitalHead,
    projector: Projector,
    feed: Feed,
    keeping: Keeping,
    stop: asyncio.Event,
    patience: Callable[[], float],
) -> None:
    busy = time.monotonic()
    behind = True
    while not stop.is_set() and time.monotonic() - busy < patience():
        if keeping.lost:
            raise Fenced
        batch = await feed.poll(tools.pace.poll_s, BATCH_MAX)
        if batch:
            async with tools.pool.connection() as connection:
                await projector.handle(connection, batch)
                if behind and projector.events >= hospital.position:
                    # All that was there when this began is handled, so no partition has a gap any more.
                    behind = False
                    await forget_fault(connection, hospital.id, projector.view)
        if not feed.at_rest:
            busy = time.monotonic()
