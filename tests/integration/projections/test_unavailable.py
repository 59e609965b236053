"""A database that does not answer is told as such, never as a defect."""

import psycopg
import pytest
from google.rpc import code_pb2
from psycopg_pool import AsyncConnectionPool

from ledger.server.error_table import row_of
from ledger.views.errors import ViewsUnavailable, ViewsUnreadable
from projections.connections import Connection, Pool
from projections.department_board.view import DepartmentBoard
from projections.freshness import Freshness, PartitionCounts
from projections.operations import ViewOperations
from projections.reading import ViewReader
from projections.views import ALL
from tests.contract.views import histories as h
from tests.contract.views.ground import Ground, partition_of
from tests.contract.views.running import freshness, running
from tests.services.sealed import FIXED_KEY


async def test_a_database_that_does_not_answer_is_unavailable(ground: Ground) -> None:
    """Reads, waits and operations say so with a type of their own."""
    ground.append([h.EventStream().seal(h.registered())])
    pool: Pool = AsyncConnectionPool[Connection](
        "host=127.0.0.1 port=1", min_size=0, max_size=1, timeout=0.2, open=False
    )
    async with pool:
        freshness = Freshness(pool, ground, PartitionCounts(ground.pool), partition_of)
        with pytest.raises(ViewsUnavailable) as caught:
            await freshness.wait("north", "department_board", 1)
        with pytest.raises(ViewsUnavailable):
            await ViewReader(pool, freshness).rows("north", DepartmentBoard(), "departments", (1, 0, 0, ""), 0)
        with pytest.raises(ViewsUnavailable):
            await ViewOperations(pool, ALL, FIXED_KEY).statuses("north", 1)
    assert row_of(caught.value).code == code_pb2.UNAVAILABLE


async def test_the_state_of_views_that_are_closed_to_us_is_a_typed_error(ground: Ground) -> None:
    """A right that is missing at one hospital is told by that hospital's name, as no defect of ours."""
    async with running(ground, DepartmentBoard()):
        head = ground.append([h.EventStream().seal(h.registered())])
        await freshness(ground).wait("north", "department_board", head)
    with psycopg.connect(ground.database.url) as connection:
        connection.execute("REVOKE ALL ON SCHEMA v_north FROM ledger_views")
    with pytest.raises(ViewsUnreadable) as caught:
        await ViewOperations(ground.pool, ALL, FIXED_KEY).statuses("north", 1)
    assert (caught.value.hospital, row_of(caught.value).code) == ("north", code_pb2.UNAVAILABLE)
