"""`ledger keys lost`: names keys that no record has any more, and destroys those that were given up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import click

from ledger.api.v1.keys_pb2 import UNSEAL_PURPOSE_ARCHIVE
from ledger.blobs.contract import BlobError
from ledger.cli.bodies import Bodies, bodies_with_keys, consumers_of
from ledger.cli.encryption_keys import shown
from ledger.cli.log_store import known_keys, log_blobs
from ledger.cli.running import settings_for
from ledger.cli.service_address import beside_option
from ledger.clock import clock_of
from ledger.config import Settings
from ledger.keys.key_rows import KeyRows
from ledger.keys.lost_keys import LostKeys
from ledger.log.log_files import LogDamaged, LogFiles, log_folder
from ledger.log.own_heads import newest_head
from ledger.store.connections import ConnectionPool, writer_pool
from ledger.store.hospitals import HospitalRow
from ledger.store.hospitals import hospital as registered


@dataclass(frozen=True, slots=True)
class Found:
    """The keys without a record."""

    records: tuple[UUID, ...]
    destroyed: int


@click.command("lost")
@click.argument("hospital")
@click.option("--destroy", is_flag=True, help="Destroy them; only after `ledger repair succeed` gave their events up.")
@beside_option
def lost(hospital: str, beside: Path | None, *, destroy: bool) -> None:
    """Name the keys of HOSPITAL whose record has no event: lost with a log that ended, of a refused command, or
    made ahead in vain.

    With --destroy each that is older than the succession becomes a tombstone and a row of the purge register, and its
    archive offices its holders; refused while the log stands still or has signed more than the ledger holds.
    """
    settings = settings_for(
        "postgres_append_url", "postgres_keys_url", "key_file", "key_passphrase_file", beside=beside
    )
    with shown():
        found = asyncio.run(_lost(settings, hospital, destroy=destroy))
    for each in found.records:
        click.echo(f"{hospital}: {each} has a key and no event")
    if destroy:
        click.echo(f"{hospital}: {found.destroyed:,} keys are destroyed; `ledger purge run` makes it complete")
    else:
        click.echo(f"{hospital}: {len(found.records):,} keys without a record")


async def _lost(settings: Settings, hospital: str, *, destroy: bool) -> Found:
    pool = writer_pool(settings.postgres_keys_url)
    try:
        async with bodies_with_keys(settings) as bodies:
            row = await registered(pool, hospital)
            if row is None:
                raise click.ClickException(f"no hospital {hospital} in the registry")
            return await _looked(settings, pool, bodies, row, destroy=destroy)
    finally:
        await pool.close()


async def _looked(
    settings: Settings, pool: ConnectionPool, bodies: Bodies, hospital: HospitalRow, *, destroy: bool
) -> Found:
    keys = LostKeys(KeyRows(pool), bodies.purges, bodies.events)
    if not destroy:
        return Found(tuple([each async for each in keys.without_record(hospital)]), 0)
    given_up = await keys.given_up(hospital)
    if given_up is None:
        raise click.ClickException(
            f"{hospital.id}: nobody has given anything up: what is lost may come back, and its key with it"
        )
    head = await keys.head(hospital)
    if reason := await asyncio.to_thread(_may_come_back, settings, hospital, head):
        raise click.ClickException(f"{hospital.id}: what is missing may come back, and needs its keys: {reason}")
    records = tuple([each async for each in keys.without_record(hospital, given_up.at)])
    offices = consumers_of(settings).named_for(UNSEAL_PURPOSE_ARCHIVE, hospital.id)
    now = clock_of(settings.clock_file)()
    gone = [await keys.destroy(hospital, each, given_up.position, now, offices) for each in records]
    return Found(records, sum(gone))


def _may_come_back(settings: Settings, hospital: HospitalRow, head: int) -> str:
    """Why more than the ledger holds may be somewhere, by its present log; empty where nothing says so."""
    files = LogFiles(log_blobs(settings), log_folder(hospital.id, hospital.origin))
    try:
        signed = newest_head(files, hospital.origin, known_keys(settings)(hospital.origin))
        size = signed.size if signed else 0
        return f"its log has signed {size} events, the ledger has {head}" if size > head else files.halted()
    except (LogDamaged, BlobError) as error:
        return str(error)
