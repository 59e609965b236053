"""Leases on a real PostgreSQL: the database's clock decides, the epoch tells holders apart."""

import asyncio
from collections.abc import AsyncGenerator

import psycopg
import pytest

from ledger.lease import Leases
from ledger.publisher.ledger_log import Pool, log_pool
from tests.eventually import eventually_async
from tests.services.postgres import Database

ROLE = "publish"


@pytest.fixture
async def pool(database: Database) -> AsyncGenerator[Pool]:
    async with log_pool(database.role_url("ledger_stream")) as pool:
        yield pool


def end_term(database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("UPDATE ledger_control.leases SET expires_at = clock_timestamp() - interval '1 ms'")


async def test_one_holder_at_a_time(pool: Pool) -> None:
    """Of twenty that ask at once, one gets it."""
    found = await asyncio.gather(*(Leases(pool.connection).acquire("north", ROLE) for _ in range(20)))
    assert len([lease for lease in found if lease is not None]) == 1


async def test_released_lease_is_free_at_once_and_the_epoch_grows(pool: Pool) -> None:
    one, other = Leases(pool.connection), Leases(pool.connection)
    first = await one.acquire("north", ROLE)
    assert first is not None
    assert await other.acquire("north", ROLE) is None
    await first.release()
    second = await other.acquire("north", ROLE)
    assert second is not None
    assert second.epoch == first.epoch + 1
    assert not await first.renew()
    await first.release()
    assert await second.renew()


async def test_hospitals_and_roles_are_apart(pool: Pool) -> None:
    leases = Leases(pool.connection)
    for hospital, role in (("north", ROLE), ("north", "view:board"), ("south", ROLE)):
        assert await leases.acquire(hospital, role) is not None


async def test_killed_holder_is_replaced_when_its_term_is_over(pool: Pool) -> None:
    """Not before; and the one that is only late cannot renew once another holds it."""
    late = await Leases(pool.connection).acquire("north", ROLE)
    assert late is not None
    other = Leases(pool.connection)
    assert await other.acquire("north", ROLE) is None
    second = await eventually_async(lambda: other.acquire("north", ROLE), what="the lease")
    assert second is not None
    assert second.epoch == late.epoch + 1
    assert not await late.renew()


async def test_term_that_is_over_is_not_renewed(pool: Pool, database: Database) -> None:
    """Even where nobody else has taken it: its holder was away, and must begin anew."""
    lease = await Leases(pool.connection).acquire("north", ROLE)
    assert lease is not None
    assert await lease.renew()
    end_term(database)
    assert not await lease.renew()


async def test_held_shows_holders_with_a_term(pool: Pool, database: Database) -> None:
    leases = Leases(pool.connection)
    await leases.acquire("north", ROLE)
    (row,) = await leases.held("north")
    assert (row.hospital, row.role, row.epoch) == ("north", ROLE, 1)
    end_term(database)
    assert await leases.held("north") == []
