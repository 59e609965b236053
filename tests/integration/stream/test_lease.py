"""Leases on a real PostgreSQL: the database's clock decides, the epoch tells holders apart."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack

import psycopg
import pytest

from ledger.lease import Leases, kept, lease_pool
from ledger.publisher.ledger_log import CONNECTIONS_MAX, Pool, log_pool
from tests.eventually import eventually_async
from tests.services.postgres import Database
from tests.services.proxy import TcpProxy

ROLE = "publish"
EVERY_SECONDS = 0.05
"""Between renewals, so that a test need not wait for terms."""


@pytest.fixture
async def pool(database: Database) -> AsyncGenerator[Pool]:
    async with log_pool(database.role_url("ledger_stream")) as pool:
        yield pool


_TAKEN = """UPDATE ledger_control.leases
    SET holder = 'another', epoch = epoch + 1, expires_at = clock_timestamp() + interval '10 min'"""


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


async def test_term_that_is_over_is_begun_again_while_nobody_took_the_lease(pool: Pool, database: Database) -> None:
    """A renewal that comes late loses nothing: the epoch, by which work is fenced, is the same, so nobody worked."""
    lease = await Leases(pool.connection).acquire("north", ROLE)
    assert lease is not None
    end_term(database)
    assert await lease.renew()
    assert await lease.renew()
    assert lease.terms == 2, "said once to whoever compares before going on"
    (row,) = await Leases(pool.connection).held("north")
    assert row.epoch == lease.epoch
    end_term(database)
    assert await Leases(pool.connection).acquire("north", ROLE) is not None
    end_term(database)
    assert not await lease.renew()


async def test_released_lease_is_not_held_again(pool: Pool) -> None:
    """A renewal that was under way when it was released does not bring it back."""
    lease = await Leases(pool.connection).acquire("north", ROLE)
    assert lease is not None
    await lease.release()
    assert not await lease.renew()
    assert await Leases(pool.connection).held("north") == []


async def test_work_that_takes_every_connection_holds_up_no_renewal(pool: Pool, database: Database) -> None:
    """The lease is renewed on connections of its own, term after term, while the work gives none of its back."""
    async with AsyncExitStack() as work, lease_pool(database.role_url("ledger_stream")) as connections:
        leases = Leases(connections.connection)
        lease = await leases.acquire("north", ROLE)
        assert lease is not None
        for _ in range(CONNECTIONS_MAX):
            await work.enter_async_context(pool.connection())
        async with kept(lease, "publisher", "north", EVERY_SECONDS):
            for _ in range(3):
                end_term(database)
                await eventually_async(lambda: leases.held("north"), what="another term")


async def test_a_lease_outlives_a_connection_that_is_cut(
    database: Database, tcp_proxy: Callable[[int], TcpProxy]
) -> None:
    """It is renewed on the next one; where the database stays away for a term, the work is told to stop."""
    proxy = tcp_proxy(database.server.port)
    through = database.role_url("ledger_stream").replace(f":{database.server.port}/", f":{proxy.port}/")
    async with lease_pool(through) as connections, log_pool(database.role_url("ledger_stream")) as pool:
        lease = await Leases(connections.connection).acquire("north", ROLE)
        assert lease is not None
        async with kept(lease, "publisher", "north", EVERY_SECONDS) as keeping:
            for _ in range(3):
                proxy.cut()
                end_term(database)
                await eventually_async(lambda: Leases(pool.connection).held("north"), what="another term")
            assert not keeping.lost
            proxy.stop()
            await eventually_async(lambda: asyncio.sleep(0, keeping.lost), what="told to stop")


async def test_whose_lease_was_taken_is_told_to_stop(pool: Pool, database: Database) -> None:
    """And no later renewal takes it from the one who has it now."""
    lease = await Leases(pool.connection).acquire("north", ROLE)
    assert lease is not None
    async with kept(lease, "publisher", "north", EVERY_SECONDS) as keeping:
        with psycopg.connect(database.url) as connection:
            connection.execute(_TAKEN)
        await eventually_async(lambda: asyncio.sleep(0, keeping.lost), what="told to stop")
    (row,) = await Leases(pool.connection).held("north")
    assert (row.holder, row.epoch) == ("another", lease.epoch + 1)


class Refusing:
    """A lease that cannot be renewed, whatever the reason."""

    epoch = 1

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def renew(self) -> bool:
        raise self._error


@pytest.mark.parametrize("error", [psycopg.errors.ReadOnlySqlTransaction("standby"), RuntimeError("defect")])
async def test_whatever_ends_the_renewing_the_work_is_told_and_its_own_error_stays(error: Exception) -> None:
    """A server that has become a standby refuses the write, which is no fault of the connection; nor is a defect."""

    async def work() -> None:
        async with kept(Refusing(error), "publisher", "north", EVERY_SECONDS) as keeping:
            await eventually_async(lambda: asyncio.sleep(0, keeping.lost), what="told to stop")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await work()


async def test_a_defect_of_the_renewing_is_raised_where_the_work_has_no_error() -> None:
    """Nothing is swallowed."""
    with pytest.raises(RuntimeError, match="defect"):
        async with kept(Refusing(RuntimeError("defect")), "publisher", "north", EVERY_SECONDS) as keeping:
            await eventually_async(lambda: asyncio.sleep(0, keeping.lost), what="told to stop")


async def test_held_shows_holders_with_a_term(pool: Pool, database: Database) -> None:
    leases = Leases(pool.connection)
    await leases.acquire("north", ROLE)
    (row,) = await leases.held("north")
    assert (row.hospital, row.role, row.epoch) == ("north", ROLE, 1)
    end_term(database)
    assert await leases.held("north") == []
