"""`ledger project`: keeps the views, or builds one anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import click
import psycopg

from ledger.api.v1.keys_pb2 import UNSEAL_PURPOSE_VIEWS
from ledger.cli.bodies import remote_opener
from ledger.cli.errors_shown import said
from ledger.cli.feeds import view_tools
from ledger.cli.running import Ready, run_until_stopped, settings_for
from ledger.cli.service_address import beside_option
from ledger.config import Settings
from ledger.keys.errors import KeyProblem
from ledger.lease import Leases, lease_pool
from ledger.stream.contract import StreamError
from ledger.views.errors import ViewError
from projections.checkpoint import Fenced
from projections.comparison import compare as compare_view
from projections.connections import connection_pool
from projections.heads import HospitalHead, heads
from projections.hints import listening
from projections.projector import ViewStopped
from projections.rebuild import RebuildStalled, RebuildUnderWay
from projections.rebuild import rebuild as rebuild_view
from projections.run import Runner
from projections.session import Tools
from projections.views import ALL

NAMES = [view.name for view in ALL]


@click.group()
def project() -> None:
    """Keep the views of every hospital."""


@project.command()
@click.option("--ready-file", type=click.Path(path_type=Path), help="Appears once the role works.")
@click.option("--view", "names", type=click.Choice(NAMES), multiple=True, help="Only these views.")
def run(ready_file: Path | None, names: tuple[str, ...]) -> None:
    """Follow the published stream and keep the views."""
    settings = settings_for("postgres_views_url", "postgres_stream_url", "unseal_token_file")
    views = [view for view in ALL if not names or view.name in names]

    async def work(stop: asyncio.Event, ready: Ready) -> None:
        async with _tools(settings) as tools, listening(settings.postgres_views_url) as hints:
            looked = asyncio.Event()
            runner = asyncio.create_task(Runner(tools, views, hints).run(stop, looked))
            waits = [asyncio.create_task(looked.wait()), runner]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            ready({})
            await runner

    run_until_stopped(work, ready_file)


@project.command()
@click.argument("name", type=click.Choice(NAMES))
@click.option("--hospital", "wanted", help="Only this hospital; all otherwise.")
@beside_option
def rebuild(name: str, wanted: str | None, beside: Path | None) -> None:
    """Build a view anew beside the running one, and swap."""
    view = next(each for each in ALL if each.name == name)

    async def anew(tools: Tools, hospital: HospitalHead) -> None:
        built = await rebuild_view(tools, hospital.id, hospital.partitions, view)
        click.echo(f"{hospital.id}: {name} rebuilt from {built.events} events")

    _each(beside, wanted, anew)


@project.command()
@click.argument("name", type=click.Choice(NAMES))
@click.option("--hospital", "wanted", help="Only this hospital; all otherwise.")
@beside_option
def compare(name: str, wanted: str | None, beside: Path | None) -> None:
    """Compare a view's rows with those that its events account for; status 1 where they differ, `rebuild` heals it.

    Builds beside the running view and drops that again. Needs a moment in which the view has handled all there is.
    """
    view = next(each for each in ALL if each.name == name)
    different: list[str] = []

    async def beside_it(tools: Tools, hospital: HospitalHead) -> None:
        found = await compare_view(tools, hospital.id, hospital.partitions, view)
        for each in found.differences:
            different.append(hospital.id)
            click.echo(
                f"{hospital.id}: DIFFERENT {name}, table {each.table}: "
                f"{each.running:,} rows that no event accounts for, {each.rebuilt:,} rows missing"
            )
        if not found.differences:
            click.echo(f"{hospital.id}: {name} holds what its {found.events:,} events say")

    _each(beside, wanted, beside_it)
    if different:
        raise SystemExit(1)


def _each(beside: Path | None, wanted: str | None, work: Callable[[Tools, HospitalHead], Awaitable[None]]) -> None:
    """Does it for one hospital, or for every one."""
    settings = settings_for("postgres_views_url", "postgres_stream_url", "unseal_token_file", beside=beside)

    async def all_of_them() -> None:
        async with _tools(settings) as tools:
            async with tools.pool.connection() as connection:
                found = await heads(connection)
            if wanted in found.refused:
                raise click.ClickException(f"{wanted}: this release does not serve the version of its schema")
            chosen = [hospital for hospital in found.readable if wanted in (None, hospital.id)]
            if wanted is not None and not chosen:
                raise click.ClickException(f"no hospital {wanted} in the registry")
            for hospital in chosen:
                try:
                    await work(tools, hospital)
                except (RebuildUnderWay, RebuildStalled, ViewStopped, Fenced, StreamError) as error:
                    raise click.ClickException(f"{hospital.id}: {error}") from error

    try:
        asyncio.run(all_of_them())
    except (StreamError, ViewError, KeyProblem, psycopg.OperationalError) as error:
        raise click.ClickException(said(error)) from error


@asynccontextmanager
async def _tools(settings: Settings) -> AsyncGenerator[Tools]:
    async with (
        remote_opener(settings, UNSEAL_PURPOSE_VIEWS) as opener,
        connection_pool(settings.postgres_views_url) as pool,
        lease_pool(settings.postgres_views_url) as leases,
    ):
        yield view_tools(settings, pool, Leases(leases.connection), opener)
