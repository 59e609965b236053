"""`ledger migrate`: brings the control schema and every hospital to this release's version."""

from __future__ import annotations

import asyncio

import click

from ledger.cli.running import settings_for
from ledger.store import migrate as migration


@click.command()
@click.option("--hospital", help="Only this hospital.")
@click.option("--status", "status_only", is_flag=True, help="Change nothing, show the versions.")
def migrate(hospital: str | None, status_only: bool) -> None:
    """Migrate the database, hospital by hospital; may be run twice, and by two at once."""
    settings = settings_for("postgres_migrate_url")
    url = settings.postgres_migrate_url
    states = asyncio.run(migration.status(url) if status_only else migration.migrate(url, hospital))
    for state in states:
        said = state.failure or ("current" if state.current else "behind")
        click.echo(f"{state.hospital or '(control)':<32} version {state.version:>4}   {said}")
    if any(state.failure for state in states):
        raise SystemExit(1)
