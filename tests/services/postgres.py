"""A real PostgreSQL for the test session, and a fresh database for each test.

LEDGER_TEST_POSTGRES_BIN names another PostgreSQL's programs (15 or later); default is the wheel's.
"""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from ledger.embedded.postgres import EmbeddedPostgres
from ledger.store.statements import render, templates
from tests.services.template import ROLE_PASSWORDS, migrate_database

_TEMPLATE = "ledger_template"
_numbers = itertools.count(1)
_COUNTS_ITERATIONS = 16
"""From this PostgreSQL on it can be said how dear a password is to try: half of each of a test's ten log-ins, here."""
_STANDING: dict[str, psycopg.Connection] = {}
"""To the session's server, which nobody kills: its log-in would take as long as what a test's database needs of it."""


@dataclass(frozen=True)
class Database:
    """One database of the session's server; `url` is the superuser's, other roles take it with their own name."""

    name: str
    url: str
    server: EmbeddedPostgres
    migrated: bool = False
    """It was copied from a migrated one."""

    def url_for(self, role: str, password: str) -> str:
        """libpq URL for another role on this database."""
        return f"postgresql://{role}:{password}@127.0.0.1:{self.server.port}/{self.name}"

    def role_url(self, role: str) -> str:
        """libpq URL of one of the product's roles, on a database that was migrated by these fixtures."""
        return self.url_for(role, ROLE_PASSWORDS[role])


def chosen_programs() -> str | None:
    """The folder of PostgreSQL's programs that this run is to use; None for the product's own choice."""
    return os.environ.get("LEDGER_TEST_POSTGRES_BIN") or None


@pytest.fixture(scope="session")
def postgres_server(services_folder: Path) -> Iterator[EmbeddedPostgres]:
    """The session's server, durable as in production. A test that kills or stops takes `own_postgres`."""
    with (
        EmbeddedPostgres(services_folder / "postgres", programs=chosen_programs()) as server,
        psycopg.connect(server.superuser_url, autocommit=True) as connection,
    ):
        _STANDING[server.superuser_url] = connection
        if server.major >= _COUNTS_ITERATIONS:
            connection.execute("ALTER SYSTEM SET scram_iterations = 1")
            connection.execute("SELECT pg_reload_conf()")
        yield server
        del _STANDING[server.superuser_url]
    server.remove_elsewhere()


@pytest.fixture
def own_postgres(services_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A started server of this test alone, to be killed and started again."""
    with EmbeddedPostgres(services_folder / f"own-postgres-{next(_numbers)}", programs=chosen_programs()) as server:
        yield server
    server.remove_elsewhere()


@pytest.fixture(scope="session")
def template_database(postgres_server: EmbeddedPostgres) -> str:
    """The name of the migrated database that test databases are copied from."""
    create_database(postgres_server, _TEMPLATE)
    migrate_database(postgres_server.url(_TEMPLATE))
    return _TEMPLATE


@pytest.fixture
def database(postgres_server: EmbeddedPostgres, template_database: str) -> Iterator[Database]:
    """A fresh, migrated database of this test alone."""
    for lent in lent_database(postgres_server, template_database):
        open_to_roles(postgres_server, lent.name)
        yield replace(lent, migrated=True)


@pytest.fixture
def empty_database(postgres_server: EmbeddedPostgres) -> Iterator[Database]:
    """A fresh database with nothing in it, for tests of the migration itself."""
    yield from lent_database(postgres_server, "template0")


def create_database(server: EmbeddedPostgres, name: str, template: str = "template0") -> None:
    """Make a database on the server as a copy of another, to which nobody may be connected."""
    _execute(server, sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))


def lent_database(server: EmbeddedPostgres, template: str) -> Iterator[Database]:
    name = f"test_{next(_numbers)}"
    create_database(server, name, template)
    yield Database(name, server.url(name), server)
    _execute(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def open_to_roles(server: EmbeddedPostgres, name: str) -> None:
    """Lets the product's roles into a database that was copied from a migrated one."""
    """What roles may do with a database as a whole is not copied with it; all else of a migration is."""
    for statement in ("let_owner_create", "let_roles_connect"):
        _execute(server, render(templates("migrate")[statement], database=sql.Identifier(name)))


def _execute(server: EmbeddedPostgres, statement: sql.Composed | bytes) -> None:
    if standing := _STANDING.get(server.superuser_url):
        standing.execute(statement)
        return
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        connection.execute(statement)
