"""Records that begin on keys that were made ahead, on real keys."""

from __future__ import annotations

import asyncio
from uuid import UUID

import psycopg

from ledger.application.ledger import Ledger
from ledger.cli.bodies import bodies_with_keys
from ledger.config import Settings, load
from ledger.keys.key_check import KeyCheck
from ledger.keys.lost_keys import LostKeys
from ledger.trust.sealing import Opened
from tests.integration.application.written import HOSPITAL, registered_patient
from tests.services.postgres import Database
from tests.services.serve_process import serve_environment

PATIENTS = 30


async def _register(settings: Settings, patients: int) -> set[UUID]:
    """One server process from its start to its end."""
    async with bodies_with_keys(settings) as bodies:
        ledger = await Ledger.open(settings, bodies.sealer, bodies.opener)
        await ledger.add_hospital(HOSPITAL, 1, "")
        registered = [await registered_patient(ledger) for _ in range(patients)]
        registered += await asyncio.gather(*(registered_patient(ledger) for _ in range(patients)))
        await ledger.close()
    return {UUID(each) for each in registered}


async def test_every_record_has_its_key_and_what_was_made_in_vain_is_no_fault(database: Database) -> None:
    """Two processes, one by one and all at once: another process opens each record, and the check of the keys finds
    nothing. Keys that were made in vain are no lost ones while a record may still begin on them."""
    settings = load(serve_environment(database))
    both = await asyncio.gather(_register(settings, PATIENTS), _register(settings, PATIENTS))
    patients = set[UUID]().union(*both)
    assert len(patients) == 4 * PATIENTS
    rows = _key_rows(database)
    assert patients <= rows.keys()
    assert len(set(rows.values())) < len(patients) / 2, "most keys came in groups"

    async with bodies_with_keys(settings) as bodies:
        ledger = await Ledger.open(settings, bodies.sealer, bodies.opener)
        (hospital,) = await ledger.hospitals()
        stored = await ledger.read_positions(HOSPITAL, 0, 1000)
        openings = await bodies.opener.open([(row.envelope, row.body) for row in stored])
        assert all(isinstance(each, Opened) for each in openings)
        check = KeyCheck(bodies.key_rows, bodies.purges, bodies.events, bodies.encryption, bodies.upheld)
        assert [each async for each in check.faults(hospital)] == []
        assert check.checked == len({row.stream_id for row in stored})
        left_over = rows.keys() - {row.stream_id for row in stored}
        assert left_over, "the search would find them"
        assert set(await bodies.key_rows.living(hospital.origin, UUID(int=0), 0.0, 1000)) >= left_over
        lost = LostKeys(bodies.key_rows, bodies.purges, bodies.events)
        assert [each async for each in lost.without_record(hospital)] == []
        await ledger.close()


def _key_rows(database: Database) -> dict[UUID, str]:
    """Every stream that has a key, and the transaction that made it."""
    with psycopg.connect(database.url) as connection:
        found = connection.execute("SELECT stream_id, xmin::text FROM ledger_keys.record_keys").fetchall()
    return dict(found)
