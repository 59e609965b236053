"""What this release cannot read stops the record, typed, and never what was answered before."""

from __future__ import annotations

import pytest

from ledger.api.v1 import common_pb2, events_pb2
from ledger.application.errors import (
    BodyUnreadable,
    ChainBroken,
    CommandIdReused,
    LedgerError,
    UnknownEventVersion,
    UnknownSourceClaim,
)
from ledger.application.ledger import Ledger
from ledger.config import Settings
from ledger.server.error_status import status_of
from ledger.store.connections import reader_pool
from ledger.store.reservation_keys import reservation_hmac, reservation_key
from tests.contract.edge import requests
from tests.integration.application.written import HOSPITAL, Foreign, execute, record_under_care, superuser
from tests.services.postgres import Database

ENTRY = events_pb2.EntryRecorded(entry_id="x").SerializeToString()
LATER_FIELD = b"\xfa\x3f\x04text"
"""Field 1023, which no message has."""
UNREADABLE = [
    pytest.param(Foreign(type="ledger.v9.EntryRecorded"), UnknownEventVersion, 12, id="type of a later release"),
    pytest.param(Foreign(format=2), UnknownEventVersion, 12, id="format of a later release"),
    pytest.param(Foreign(body=LATER_FIELD), UnknownEventVersion, 12, id="field of a later release"),
    pytest.param(Foreign(body=ENTRY), BodyUnreadable, 15, id="body that is none"),
    pytest.param(Foreign(body_sha256=b"\x01" * 32), BodyUnreadable, 15, id="body of another digest"),
    pytest.param(Foreign(damaged=True), BodyUnreadable, 15, id="damaged envelope"),
]


@pytest.mark.parametrize(("foreign", "expected", "code"), UNREADABLE)
async def test_a_record_that_cannot_be_read_is_stopped(
    ledger: Ledger, other: Ledger, settings: Settings, foreign: Foreign, expected: type[LedgerError], code: int
) -> None:
    """UNIMPLEMENTED for what a later release wrote, DATA_LOSS for damage: at commands and reads alike."""
    record_id = await record_under_care(ledger)
    await foreign.append(ledger, settings, record_id)
    head = await ledger.head(HOSPITAL)
    for each in (ledger, other):
        with pytest.raises(expected) as refused:
            await execute(each, requests.record_entry(str(record_id)))
        assert status_of(refused.value, "incident").code == code
        with pytest.raises(expected):
            await each.record(HOSPITAL, record_id)
    assert await ledger.head(HOSPITAL) == head


async def test_what_was_done_is_answered_although_the_record_cannot_be_read_now(
    ledger: Ledger, other: Ledger, settings: Settings
) -> None:
    """A retry gets the first receipt, other content COMMAND_ID_REUSED: the check of the command comes first."""
    record_id = await record_under_care(ledger)
    request = requests.record_entry(str(record_id))
    done = await execute(ledger, request)
    await Foreign(type="ledger.v9.EntryRecorded").append(ledger, settings, record_id)
    for each in (ledger, other):
        again = await execute(each, request)
        assert (again.repeated, again.position, again.record_version) == (True, done.position, done.record_version)
    request.content.title = "other content"
    for each in (ledger, other):
        with pytest.raises(CommandIdReused):
            await execute(each, request)


async def test_a_claim_that_cannot_be_read_stops_its_item(ledger: Ledger, settings: Settings) -> None:
    """A letter of a later release is no ground to guess what was made from the item."""
    record_id = await record_under_care(ledger)
    request = requests.record_entry(str(record_id))
    request.context.source.CopyFrom(
        common_pb2.SourceItem(system="his", type="Doc", id="1", content_sha256=b"\x01" * 32)
    )
    readers = reader_pool(settings.postgres_append_url)
    key = reservation_hmac(await reservation_key(readers, HOSPITAL), "source", "his", "Doc", "1")
    await readers.close()
    await superuser(
        settings.postgres_append_url,
        "INSERT INTO h_north.reservations (kind, key, value, stream_id) VALUES ('source', %s, %s, %s)",
        key,
        b"Z" + bytes(48),
        record_id,
    )
    with pytest.raises(UnknownSourceClaim) as refused:
        await execute(ledger, request)
    assert status_of(refused.value).code == 12


async def test_a_stream_whose_chain_is_broken_is_not_read(ledger: Ledger, other: Ledger, database: Database) -> None:
    """An event taken out of the middle is found at the next read, not written on from."""
    record_id = await record_under_care(ledger)
    await execute(ledger, requests.record_entry(str(record_id)))
    await superuser(
        database.url, "ALTER TABLE h_north.events DISABLE TRIGGER USER; DELETE FROM h_north.events WHERE version = 2"
    )
    with pytest.raises(ChainBroken) as refused:
        await other.record(HOSPITAL, record_id)
    assert status_of(refused.value, "incident").code == 15
