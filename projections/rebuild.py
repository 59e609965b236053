"""Builds a view anew beside the running one and swaps: readers see the old rows until the new ones are as far."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ledger.views.errors import ViewError
from ledger.views.view import View
from projections.connections import Connection
from projections.feed import HeldLease
from projections.generation import Generation, add_building, discard, generations, prepare, serving, swap
from projections.projector import BATCH_MAX, Projector
from projections.renewal import Renewal
from projections.session import Tools, rebuild_role

_log = logging.getLogger(__name__)

Settle = Callable[[Connection, str, Projector], Awaitable[bool]]
"""Whether what was built, on this connection, is done with."""


class RebuildUnderWay(ViewError):
    """Another process rebuilds this view already."""

    def __init__(self, view: str, hospital: str) -> None:
        super().__init__(f"view {view} of hospital {hospital} is being rebuilt already")
        self.view = view
        self.hospital = hospital


class RebuildStalled(ViewError):
    """The published stream does not deliver what the running view has handled already."""

    def __init__(self, view: str, hospital: str, seconds: float) -> None:
        super().__init__(
            f"view {view} of hospital {hospital}: nothing more arrived in {seconds:g} s; it stays as it was"
        )
        self.view = view
        self.hospital = hospital
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild came to."""

    generation: int
    events: int


async def rebuild(tools: Tools, hospital: str, partitions: int, view: View) -> Rebuilt:
    """Builds from the first event and swaps. The running view goes on meanwhile and is then taken over.

    `partitions` are those of the hospital's topic. RebuildUnderWay; RebuildStalled where the stream does not deliver
    what the running view has; ViewStopped where too many records are poison (the old rows stay); Fenced where the lease
    was lost.
    """
    built = await build_beside(tools, hospital, partitions, view, _swapped)
    _log.info("view rebuilt", extra={"hospital": hospital, "view": view.name, "events": built.events})
    return built


async def build_beside(tools: Tools, hospital: str, partitions: int, view: View, settle: Settle) -> Rebuilt:
    """Builds from the first event until `settle`, asked at each end of the stream, says that it is done. As `rebuild`.

    What is built is discarded where that does not happen.
    """
    lease = await tools.acquire(hospital, rebuild_role(view))
    if lease is None:
        raise RebuildUnderWay(view.name, hospital)
    try:
        return await _build(tools, hospital, tools.stream_partitions(partitions), view, lease, settle)
    finally:
        await lease.release()


async def _build(tools: Tools, hospital: str, partitions: int, view: View, lease: HeldLease, settle: Settle) -> Rebuilt:
    async with tools.pool.connection() as connection:
        await prepare(connection, hospital)
        for left_over in await generations(connection, hospital, view):
            if left_over.state == "building":
                await discard(connection, hospital, view, left_over.number)
        building = await add_building(connection, hospital, view, partitions)
        projector = Projector(hospital, view, building.number, lease.epoch, tools.stopped_max)
        await projector.take_over(connection)
    try:
        await _catch_up(tools, hospital, partitions, projector, lease, settle)
    except BaseException:
        async with tools.pool.connection() as connection:
            await discard(connection, hospital, view, building.number)
        raise
    return Rebuilt(building.number, projector.events)


async def _catch_up(
    tools: Tools, hospital: str, partitions: int, projector: Projector, lease: HeldLease, settle: Settle
) -> None:
    feed = await tools.open_feed(hospital, partitions, projector.checkpoints)
    renewal = Renewal(lease, tools.pace.renew_s)
    arrived = time.monotonic()
    try:
        while True:
            batch = await feed.poll(tools.pace.poll_s, BATCH_MAX)
            async with tools.pool.connection() as connection:
                if batch:
                    await projector.handle(connection, batch)
                # Under load no poll is ever empty: one that is not full is as near to the end as it gets.
                if len(batch) < BATCH_MAX and await settle(connection, hospital, projector):
                    return
            if not feed.at_rest:
                arrived = time.monotonic()
            elif time.monotonic() - arrived > tools.pace.stall_s:
                raise RebuildStalled(projector.view.name, hospital, tools.pace.stall_s)
            await renewal.keep()
    finally:
        await feed.close()


async def _swapped(connection: Connection, hospital: str, projector: Projector) -> bool:
    """Swaps if the old rows are not further; an empty poll alone does not say so, for the stream may lag."""
    old: Generation | None = await serving(connection, hospital, projector.view)
    return await swap(connection, hospital, projector.view, old.number if old else 0, projector.generation)
