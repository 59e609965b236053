"""`ledger migrate`: brings the control schema and every hospital to this release's version."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import psycopg

from ledger.cli.errors_shown import said
from ledger.cli.running import settings_for
from ledger.cli.service_address import beside_option
from ledger.store import migrate as migration
from ledger.store.errors import StoreError, UnknownHospital
from ledger.store.migrate import SchemaState


@click.command()
@click.option("--hospital", help="Only this hospital.")
@click.option("--status", "status_only", is_flag=True, help="Change nothing, show the versions.")
@beside_option
def migrate(hospital: str | None, status_only: bool, beside: Path | None) -> None:
    """Migrate the database, hospital by hospital; may be run twice, and by two at once."""
    settings = settings_for("postgres_migrate_url", beside=beside)
    try:
        states = asyncio.run(_migrate(settings.postgres_migrate_url, hospital, status_only))
    except (StoreError, psycopg.Error) as error:
        raise click.ClickException(said(error)) from error
    for state in states:
        outcome = state.failure or ("current" if state.current else "behind")
        click.echo(f"{state.hospital or '(control)':<32} version {state.version:>4}   {outcome}")
    if any(state.failure for state in states):
        raise SystemExit(1)


async def _migrate(url: str, hospital: str | None, status_only: bool) -> list[SchemaState]:
    if not status_only:
        return await migration.migrate(url, hospital)
    states = await migration.status(url)
    if hospital is None:
        return states
    found = [state for state in states if state.hospital == hospital]
    if not found:
        raise UnknownHospital(hospital)
    return found
