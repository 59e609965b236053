"""The edge with proofs, the queries and the runner of the views as `ledger serve` and `ledger project` compose them."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from ledger.cli.feeds import view_tools
from ledger.cli.log_store import own_logs
from ledger.cli.purge_queries import purge_queries
from ledger.cli.queries import view_queries
from ledger.clock import system_clock
from ledger.config import Settings
from ledger.keys.key_file import KeyFile, new_key_file
from ledger.keys.purge_rows import PurgeRows
from ledger.lease import Leases, lease_pool
from ledger.server.log_readers import Logs
from ledger.server.proofs import Proofs
from ledger.server.purges import Purges
from ledger.store.connections import writer_pool
from projections.connections import connection_pool
from projections.hints import HeadHints
from projections.run import Runner
from projections.session import Pace
from projections.views import ALL
from tests.contract.edge.conftest import RunningEdge
from tests.eventually import SECONDS_MAX
from tests.services.sealed import FIXED_KEY, disclosed


@asynccontextmanager
async def composed(edge: RunningEdge, wait_seconds_max: float = SECONDS_MAX) -> AsyncGenerator[RunningEdge]:
    """Runs an edge that was not started yet, with proofs and the queries of all views, which wait so long at most."""
    async with view_queries(edge.settings, edge.ledger, FIXED_KEY, wait_seconds_max) as queries:
        pool = writer_pool(edge.settings.postgres_keys_url)
        purges = Purges(PurgeRows(pool, _generations), edge.ledger.origin_of, _generations, system_clock)
        proofs = Proofs(edge.ledger, Logs(own_logs(edge.settings)), disclosed)
        edge.queries.update({**queries, **purge_queries(purges), **proofs.queries()})
        await edge.start()
        yield edge
        await edge.stop()
        await pool.close()


_KEY_FILE = new_key_file(datetime.now(UTC), os.urandom)


async def _generations() -> KeyFile:
    return _KEY_FILE


@asynccontextmanager
async def projecting(settings: Settings) -> AsyncGenerator[None]:
    """Keeps every view of every hospital until the block ends."""
    stop, ready = asyncio.Event(), asyncio.Event()
    pace = Pace(poll_s=0.05, idle_s=1.0, sweep_s=0.05)
    url = settings.postgres_views_url
    async with connection_pool(url) as pool, lease_pool(url) as leases:
        tools = view_tools(settings, pool, Leases(leases.connection), FIXED_KEY, pace)
        task = asyncio.create_task(Runner(tools, ALL, HeadHints()).run(stop, ready))
        await ready.wait()
        try:
            yield
        finally:
            stop.set()
            await task
