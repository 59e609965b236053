"""`ledger keys release`: two persons let records be read again that a restore held back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

import click

from ledger.api.v1.common_pb2 import Actor as ActorMessage
from ledger.application.message_codec import to_domain
from ledger.cli.encryption_keys import shown
from ledger.cli.person import Person
from ledger.cli.running import settings_for
from ledger.cli.service_address import beside_option
from ledger.clock import clock_of
from ledger.config import Settings
from ledger.domain.command_guards import is_person
from ledger.domain.values import Actor
from ledger.keys.held_back import Held, HeldBack
from ledger.store.connections import writer_pool
from ledger.store.hospitals import hospital as registered
from ledger.trust.lineage import first_of

_REASONS = ("CARE", "DESTRUCTIONS_CHECKED", "LOSS_GIVEN_UP")
_PERSONS = 2


@click.command("release")
@click.argument("hospital")
@click.option("--approver", "approvers", type=Person(), multiple=True, required=True, help="Two persons: ID,NAME,ROLE.")
@click.option("--reason", type=click.Choice(_REASONS), required=True, help="Why the records are read again.")
@beside_option
def release(hospital: str, approvers: tuple[ActorMessage, ...], reason: str, beside: Path | None) -> None:
    """Let the records of HOSPITAL be read again before it is known which of them were destroyed.

    A restore holds them back where its keys are older than something that is missing: a record that was destroyed there
    would read again. `ledger repair refill` ends that by itself. Who cannot wait for it, or has nothing to refill from,
    says so here; the word stays in the database with both persons' ids, and is a line of level warning.
    """
    settings = settings_for("postgres_append_url", "postgres_keys_url", beside=beside)
    with shown():
        persons = [to_domain(each, Actor) for each in approvers]
        if (
            len(persons) != _PERSONS
            or len({each.id for each in persons}) != _PERSONS
            or not all(map(is_person, persons))
        ):
            raise click.ClickException("two different persons release records, no system")
        released = asyncio.run(_released(settings, hospital, [each.id for each in persons], reason))
    if not released:
        raise click.ClickException(f"{hospital}: nothing is held back by a restore that nobody has released")
    for each in released:
        click.echo(
            f"{hospital}: records are read again ({reason}); one that was destroyed at positions {each.first} to "
            f"{each.upto} is read too, until its RecordDestroyed is refilled"
        )


async def _released(settings: Settings, hospital: str, by: list[UUID], reason: str) -> list[Held]:
    pool = writer_pool(settings.postgres_keys_url)
    try:
        row = await registered(pool, hospital)
        if row is None:
            raise click.ClickException(f"no hospital {hospital} in the registry")
        at = clock_of(settings.clock_file)()
        return await HeldBack(pool).release(first_of(row.origin), at, by, reason)
    finally:
        await pool.close()
