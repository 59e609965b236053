"""`ledger verify keys`: the rows of keys against the ledger, under the key-encryption keys."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from ledger.cli.bodies import bodies_with_keys
from ledger.cli.encryption_keys import shown
from ledger.cli.running import settings_for
from ledger.cli.service_address import beside_option
from ledger.config import Settings
from ledger.keys.key_check import KeyCheck, KeyFaultAt
from ledger.keys.key_rows import KeyRows
from ledger.keys.lost_keys import LostKeys
from ledger.store.connections import reader_pool
from ledger.store.hospitals import HospitalRow, list_hospitals
from ledger.trust.fault import EnvelopeFault


@click.command()
@click.argument("hospitals", nargs=-1)
@beside_option
def keys(hospitals: tuple[str, ...], beside: Path | None) -> None:
    """Check the keys of HOSPITALS (none named: every one): each record has its own, each destroyed one none.

    Goes by the ledger's rows: run `ledger verify` before it. Runs where the key file is.
    """
    settings = settings_for(
        "postgres_append_url", "postgres_keys_url", "key_file", "key_passphrase_file", beside=beside
    )
    with shown():
        held = asyncio.run(_checked(settings, hospitals))
    if not held:
        raise SystemExit(1)


async def _checked(settings: Settings, wanted: tuple[str, ...]) -> bool:
    held = True
    pool = reader_pool(settings.postgres_keys_url)
    try:
        async with bodies_with_keys(settings) as bodies:
            known = {each.id: each for each in await list_hospitals(pool) if each.state != "adding"}
            if strange := [each for each in wanted if each not in known]:
                raise click.ClickException(f"no hospital {', '.join(strange)} in the registry")
            for hospital in [known[each] for each in wanted] or known.values():
                check = KeyCheck(KeyRows(pool), bodies.purges, bodies.events, bodies.encryption, bodies.upheld)
                held = await _say(hospital, check) and held
                await _say_lost(hospital, LostKeys(KeyRows(pool), bodies.purges, bodies.events))
    finally:
        await pool.close()
    return held


async def _say(hospital: HospitalRow, check: KeyCheck) -> bool:
    faults: list[KeyFaultAt] = []
    try:
        async for fault in check.faults(hospital):
            faults.append(fault)
            click.echo(
                f"{hospital.id}: FAULT {fault.kind.name}, record {fault.record_id}, last event at position "
                f"{fault.position}: {fault.kind.value}"
            )
    except EnvelopeFault as error:
        click.echo(f"{hospital.id}: FAULT an envelope cannot be read ({error.reason}); `ledger verify` says which")
        return False
    if not faults:
        click.echo(f"{hospital.id}: holds. The keys of {check.checked:,} records")
    return not faults


async def _say_lost(hospital: HospitalRow, keys: LostKeys) -> None:
    count = len([each async for each in keys.without_record(hospital)])
    if count:
        click.echo(f"{hospital.id}: {count:,} keys have no record; `ledger keys lost {hospital.id}` names them")
