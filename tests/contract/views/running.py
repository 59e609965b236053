"""The product's runner over a ground, and the reads beside it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ledger.views.view import View
from projections.freshness import Freshness, PartitionCounts
from projections.hints import HeadHints
from projections.reading import ViewReader
from projections.run import Runner
from projections.session import Pace, Tools
from tests.contract.views.ground import Ground, partition_of
from tests.eventually import SECONDS_MAX


def freshness(ground: Ground) -> Freshness:
    return Freshness(ground.pool, ground, PartitionCounts(ground.pool), partition_of, SECONDS_MAX)


def reader(ground: Ground) -> ViewReader:
    return ViewReader(ground.pool, freshness(ground))


@asynccontextmanager
async def running(ground: Ground, *views: View, stopped_max: int = 100) -> AsyncGenerator[None, None]:
    """The runner with these views until the block ends."""
    stop, ready = asyncio.Event(), asyncio.Event()
    runner = Runner(tools(ground, stopped_max), views, HeadHints())
    task = asyncio.create_task(runner.run(stop, ready))
    await ready.wait()
    try:
        yield
    finally:
        stop.set()
        await task


def tools(ground: Ground, stopped_max: int = 100) -> Tools:
    pace = Pace(poll_s=0.05, idle_s=1.0, sweep_s=0.05)
    return Tools(ground.pool, ground.open_feed, ground.acquire, pace, stopped_max, lambda partitions: partitions)
