"""One small service's whole stored state, made by the product itself: what every tampering begins from."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from prometheus_client import CollectorRegistry
from psycopg.sql import SQL, Identifier

from consumers.receiving_hospital.offer import Offer, read_offer
from consumers.transfer_message import TransferMessage
from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import transfers_pb2 as transfers
from ledger.api.v1.records_pb2 import RegisterActorRequest
from ledger.application.ledger import Ledger
from ledger.application.packages import package_bytes
from ledger.cli.bodies import bodies_with_keys
from ledger.cli.erasure_follower import ErasureFollower
from ledger.config import Settings
from ledger.keys.key_file import COST_OF_A_RANDOM_PASSPHRASE, read_key_file, write_key_file
from ledger.keys.key_file_keys import KeyFileKeys
from ledger.keys.key_rows import KeyRows
from ledger.keys.rewrapping import rewrap_all
from ledger.keys.secret_file import read_line_secret
from ledger.store.connections import writer_pool
from ledger.telemetry.trace import current_traceparent
from ledger.trust.note import parse_note
from ledger.trust.note_key import SigningKey
from tests.contract.edge import requests
from tests.fault.tampering.building import HOSPITAL, ORIGIN, Building, OlderViews, Proven, settings_in
from tests.integration.application.disposal_ground import APPROVER, PROPOSER, Office, erasing_for
from tests.integration.application.written import execute
from tests.services.postgres import Database
from tests.unit.trust.tlog_samples import WITNESSES

PARTITIONS = 2
NOTES = 90
"""Of each of three records, so that the log has more than one bundle."""
_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass(frozen=True)
class Stored:
    """What lies at rest once every role has ended."""

    database: Database
    settings: Settings
    folder: Path
    log_key: SigningKey
    now: Proven
    older: Proven
    """Of an earlier moment, to be replayed."""
    entry: bytes
    """The envelope of the event that the proofs are about."""
    offer: Offer
    record: UUID
    """The record of the pack and of the package."""
    destroyed: UUID
    older_keys: tuple[tuple[Any, ...], ...]
    """The rows of keys before the destruction and before the last generation."""
    older_register: Mapping[str, tuple[tuple[Any, ...], ...]]
    """By table the rows of the purge register before a holder acknowledged."""
    older_views: OlderViews
    """The rows of views at that earlier moment."""

    @property
    def policy(self) -> Path:
        """The log's key, and two of three witnesses."""
        return self.folder / "policy"

    @property
    def remembered(self) -> Path:
        """The cosigned checkpoint that somebody else keeps."""
        return self.folder / "remembered.checkpoint"


async def build(database: Database, bootstrap: str, folder: Path) -> Stored:
    """The state: destroyed and living records, two moments of proofs, an offer, keys of two generations."""
    settings = settings_in(database, bootstrap, folder)
    async with bodies_with_keys(settings) as bodies:
        ledger = await Ledger.open(settings, bodies.sealer, bodies.opener)
        try:
            await ledger.add_hospital(HOSPITAL, PARTITIONS, "")
            await ledger.add_hospital("south", 1, "")
            building = Building(settings, folder, ledger, bodies)
            async with building.roles():
                return await _filled(building, database)
        finally:
            await ledger.close()


async def _filled(building: Building, database: Database) -> Stored:
    ledger, office = building.ledger, Office(building.ledger)
    current_traceparent.set(_TRACE)
    destroyed, list_id = await office.condemned(await office.patient())
    records = [await _under_care(ledger) for _ in range(3)]
    await asyncio.gather(*(_notes(ledger, each, NOTES) for each in records))
    for actor in (PROPOSER, APPROVER):
        await ledger.register_actor(HOSPITAL, RegisterActorRequest(hospital=HOSPITAL, actor=actor))
    older_keys = _key_rows(database)
    await building.publish_map()
    older_views = await building.view_rows()
    rows = await ledger.read_stream(HOSPITAL, records[0], 0, 2000)
    older = await building.proven("older-log", records[0], 5, package_bytes(uuid4(), ORIGIN, rows[:-1]))

    await office.destroy(destroyed, list_id)
    await _erased(building)
    older_register = {name: _rows_of(database, name) for name in ("purges", "purge_holders")}
    stream = ORIGIN, UUID(destroyed).bytes
    deleted = await building.bodies.purges.acknowledge(
        stream, "archive", "archive-office", datetime.now(UTC), UUID(int=7)
    )
    assert deleted
    await _rotated(building)
    await asyncio.gather(*(_notes(ledger, each, 5) for each in records))
    offer, package = await _offered(building, records[0])
    await building.publish_map()
    await execute(ledger, requests.record_entry(str(records[0]), "After the map."))
    now = await building.proven("now-log", records[0], 5, package)
    note, (log_key,) = building.cosigned(), building.keys.of(ORIGIN)
    (building.folder / "remembered.checkpoint").write_bytes(note.encode())
    (building.folder / "policy").write_text(_policy(log_key))
    entry = (await ledger.read_positions(HOSPITAL, 4, 1))[0].envelope
    assert parse_note(note.encode()) == note
    return Stored(
        database, building.settings, building.folder, log_key, now, older, entry, offer, records[0], UUID(destroyed),
        older_keys, older_register, older_views,
    )  # fmt: skip


def _policy(log_key: SigningKey) -> str:
    witnesses = "".join(f"witness w{at} {each.verifier()}\n" for at, each in enumerate(WITNESSES))
    return f"log {log_key.verifier()}\n{witnesses}group ours 2 w0 w1 w2\nquorum ours\n"


async def _under_care(ledger: Ledger) -> UUID:
    patient = await execute(ledger, requests.register_patient())
    record = await execute(ledger, requests.register_record(str(patient.record_id)))
    await execute(ledger, requests.start_care(str(record.record_id)))
    return record.record_id


async def _notes(ledger: Ledger, record: UUID, count: int) -> None:
    for number in range(count):
        await execute(ledger, requests.record_entry(str(record), f"Note {number}."))


async def _erased(building: Building) -> None:
    """What `ledger serve` does with a destruction."""
    bodies, ledger = building.bodies, building.ledger
    erasing = erasing_for(bodies, datetime.now(UTC), "archive-office", "second-office")
    await ErasureFollower(erasing, ledger.hospitals, ledger.drop_destroyed, CollectorRegistry()).catch_up()


async def _rotated(building: Building) -> None:
    """A new generation of key-encryption keys, and every key under it."""
    file, passphrase_file = building.settings.key_file, building.settings.key_passphrase_file
    assert file is not None
    assert passphrase_file is not None
    passphrase = read_line_secret(passphrase_file)
    content = read_key_file(file, passphrase).rotated(datetime.now(UTC), os.urandom)
    write_key_file(file, content, passphrase, os.urandom, cost=COST_OF_A_RANDOM_PASSPHRASE)
    pool = writer_pool(building.settings.postgres_keys_url)
    try:
        done = await rewrap_all(KeyRows(pool), KeyFileKeys(file, passphrase_file), content.newest.number)
    finally:
        await pool.close()
    assert (done.keys > 0, done.failed) == (True, ())


async def _offered(building: Building, record: UUID) -> tuple[Offer, bytes]:
    """The offer of a record to south, as south reads it, and the package."""
    ledger = building.ledger
    request = transfers.OfferTransferRequest(
        context=requests.context(HOSPITAL), record_id=str(record), recipient="south", kind=common.TRANSFER_KIND_REFERRAL
    )
    done = await ledger.execute("ledger.api.v1.TransferService/OfferTransfer", request)
    (row,) = await ledger.read_positions(HOSPITAL, done.position - 1, 1)
    (opening,) = await building.bodies.opener.open([(row.envelope, row.body)])
    offer = read_offer(TransferMessage(ORIGIN, row.position, row.envelope, row.body, opening))
    return offer, await ledger.package_bytes(HOSPITAL, record, offer.transfer_id, "south")


def _key_rows(database: Database) -> tuple[tuple[Any, ...], ...]:
    return _rows_of(database, "record_keys")


def _rows_of(database: Database, table: str) -> tuple[tuple[Any, ...], ...]:
    with psycopg.connect(database.url) as connection:
        query = SQL("SELECT * FROM {}").format(Identifier("ledger_keys", table))
        return tuple(connection.execute(query).fetchall())
