"""The database of a service of `ledger up`, on the PostgreSQL that it starts itself."""

from __future__ import annotations

import psycopg
from psycopg import sql

from ledger.cli.service_folder import DATABASE
from ledger.embedded.postgres import EmbeddedPostgres


def make_database(postgres: EmbeddedPostgres) -> None:
    """Makes the database where it is not there; blocks."""
    with psycopg.connect(postgres.superuser_url, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
