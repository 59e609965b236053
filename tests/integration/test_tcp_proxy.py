"""The proxy of the fault tests does what it says, on a real PostgreSQL connection."""

from collections.abc import Callable

import psycopg
import pytest

from tests.services.postgres import Database
from tests.services.proxy import TcpProxy


def _connect(proxy: TcpProxy, database: Database, seconds_max: int = 10) -> psycopg.Connection:
    return psycopg.connect(database.url, port=proxy.port, connect_timeout=seconds_max)


@pytest.fixture
def proxy(tcp_proxy: Callable[[int], TcpProxy], empty_database: Database) -> TcpProxy:
    """A proxy in front of the session's PostgreSQL."""
    return tcp_proxy(empty_database.server.port)


def test_passes_everything_on(proxy: TcpProxy, empty_database: Database) -> None:
    """A large answer comes through whole."""
    with _connect(proxy, empty_database) as connection:
        row = connection.execute("SELECT repeat('x', 3000000)").fetchone()
        assert row is not None
        assert len(row[0]) == 3_000_000


def test_cut_breaks_open_connections_only(proxy: TcpProxy, empty_database: Database) -> None:
    """An open connection is lost at once, a new one works."""
    with _connect(proxy, empty_database) as connection:
        proxy.cut()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with _connect(proxy, empty_database) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_stopped_refuses_until_resumed(proxy: TcpProxy, empty_database: Database) -> None:
    """Nobody answers while stopped; the same port answers afterwards."""
    proxy.stop()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        _connect(proxy, empty_database)
    proxy.resume()
    with _connect(proxy, empty_database) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_deaf_takes_but_does_not_answer(proxy: TcpProxy, empty_database: Database) -> None:
    """A deaf proxy lets a client run into its own limit; what was held back arrives later."""
    proxy.deafen()
    with pytest.raises(psycopg.OperationalError, match="timeout"):
        _connect(proxy, empty_database, seconds_max=2)
    proxy.hear()
    with _connect(proxy, empty_database) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
