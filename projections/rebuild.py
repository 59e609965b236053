"""Builds a view anew beside the running one and swaps: readers see the old rows until the new ones are as far."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import psycopg

from ledger.lease import Keeping, kept
from ledger.stream.contract import StreamUnavailable
from ledger.views.errors import ViewError
from ledger.views.view import View
from projections.building import begin_anew, begin_or_go_on
from projections.checkpoint import Fenced
from projections.connections import Connection
from projections.generation import Generation, discard, serving, swap
from projections.projector import BATCH_MAX, Projector
from projections.session import Tools, rebuild_role

_log = logging.getLogger(__name__)
_BROKEN_MAX = 5
"""How often in a row, without a batch between, what it reads or writes may be out of reach."""
_LEFT_FOR_THE_NEXT = (Fenced, psycopg.OperationalError, StreamUnavailable, asyncio.CancelledError)
"""What says nothing against the rows that are built: the next rebuild goes on with them."""

Settle = Callable[[Connection, str, Projector], Awaitable[bool]]
"""Whether what was built, on this connection, is done with."""
Begin = Callable[[Tools, str, int, View, int], Awaitable[Projector]]
"""Takes the generation that is to be built, under the lease's epoch."""


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

    What a rebuild that was killed or cut off shortly before has built is gone on with. `partitions` are those of the
    hospital's topic. RebuildUnderWay; RebuildStalled where the stream does not deliver what the running view has;
    ViewStopped where too many records are poison (the old rows stay); Fenced where another rebuild has taken over;
    OperationalError, StreamUnavailable where what it needs stays out of reach.
    """
    built = await build_beside(tools, hospital, partitions, view, _swapped, begin_or_go_on)
    _log.info("view rebuilt", extra={"hospital": hospital, "view": view.name, "events": built.events})
    return built


async def build_beside(
    tools: Tools, hospital: str, partitions: int, view: View, settle: Settle, begin: Begin = begin_anew
) -> Rebuilt:
    """Builds until `settle`, asked at each end of the stream, says that it is done. As `rebuild`.

    What is built is discarded where its rows are found wanting, and left for the next rebuild where only what it needs
    was away.
    """
    lease = await tools.acquire(hospital, rebuild_role(view))
    if lease is None:
        raise RebuildUnderWay(view.name, hospital)
    async with kept(lease, "rebuild", hospital, tools.pace.renew_s) as keeping:
        try:
            projector = await begin(tools, hospital, tools.stream_partitions(partitions), view, lease.epoch)
            await _build(tools, hospital, projector, keeping, settle)
        except _LEFT_FOR_THE_NEXT:
            # Not released: by when its term ended the views' runner tells how long the work has lain.
            raise
        except BaseException:
            await lease.release()
            raise
    await lease.release()
    return Rebuilt(projector.generation, projector.events)


async def _build(tools: Tools, hospital: str, projector: Projector, keeping: Keeping, settle: Settle) -> None:
    try:
        await _build_through(tools, hospital, projector, keeping, settle)
    except _LEFT_FOR_THE_NEXT:
        raise
    except BaseException:
        async with tools.pool.connection() as connection:
            await discard(connection, hospital, projector.view, projector.generation)
        raise


async def _build_through(tools: Tools, hospital: str, projector: Projector, keeping: Keeping, settle: Settle) -> None:
    """Builds on wherever it was cut off, unless that happens too often in a row."""
    broken, handled = 0, projector.events
    while not await _built(tools, hospital, projector, keeping, settle):
        broken = 1 if projector.events > handled else broken + 1
        handled = projector.events
        if broken > _BROKEN_MAX:
            raise StreamUnavailable("what a rebuild reads or writes stays out of reach; the next one goes on there")
        await asyncio.sleep(tools.pace.sweep_s)
        await tools.pool.check()


async def _built(tools: Tools, hospital: str, projector: Projector, keeping: Keeping, settle: Settle) -> bool:
    """False where it was cut off from what it reads or writes; what it has committed stands, and is read again."""
    try:
        async with tools.pool.connection() as connection:
            # Whether the last batch was committed before the connection was lost, only the checkpoints know.
            await projector.take_over(connection)
        await _catch_up(tools, hospital, projector, keeping, settle)
    except (psycopg.OperationalError, StreamUnavailable) as error:
        about = {"hospital": hospital, "view": projector.view.name, "events": projector.events}
        _log.warning("rebuild was cut off, and goes on there", extra=about | {"error": type(error).__name__})
        return False
    return True


async def _catch_up(tools: Tools, hospital: str, projector: Projector, keeping: Keeping, settle: Settle) -> None:
    feed = await tools.open_feed(hospital, len(projector.checkpoints), projector.checkpoints)
    arrived = time.monotonic()
    try:
        while not keeping.lost:
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
        raise Fenced
    finally:
        await feed.close()


async def _swapped(connection: Connection, hospital: str, projector: Projector) -> bool:
    """Swaps if the old rows are not further; an empty poll alone does not say so, for the stream may lag."""
    old: Generation | None = await serving(connection, hospital, projector.view)
    return await swap(
        connection, hospital, projector.view, old.number if old else 0, projector.generation, projector.epoch
    )
